using System.ComponentModel;
using System.Runtime.InteropServices;

namespace JepaSharp.Runtime;

/// <summary>Loads libtorch and TorchSharp's native half before anything uses them.</summary>
/// <remarks>
/// JepaSharp's networks, weights and devices call <see cref="Load"/> themselves; a program that uses TorchSharp before them calls it first. Nothing
/// else of
/// the process changes: what a training program wants beside it, it asks of <see cref="RuntimeTuning"/>. Two things are mended on the way:
/// <list type="bullet">
/// <item>On systems whose libstdc++ is older than GLIBCXX_3.4.32 (Debian 12, Ubuntu 22.04) the published library does not load;
/// a copy whose requirement is marked weak is loaded instead (see <see cref="WeakSymbolVersion"/>).</item>
/// <item>With the environment variable <c>JEPASHARP_LIBTORCH</c> set to a folder of libtorch libraries, for instance the
/// <c>torch/lib</c> of an installed PyTorch, that libtorch is used, CUDA included. The packaged <c>libtorch_cpu.so</c> must then be removed.</item>
/// </list>
/// </remarks>
public static class NativeLibtorch
{
    /// <summary>Environment variable naming a folder of libtorch libraries to use instead of the packaged ones.</summary>
    public const string FolderVariable = "JEPASHARP_LIBTORCH";

    private const string Libtorch = "libtorch_cpu.so";
    private static readonly Lock Gate = new();
    private static bool _loaded;

    /// <summary>The folder that libtorch was loaded from, or null where the system's own search found it.</summary>
    public static string? LibtorchFolder { get; private set; }

    /// <summary>Whether TorchSharp's native library had to be loaded from a mended copy.</summary>
    public static bool UsesMendedCopy { get; private set; }

    /// <summary>Loads the native libraries, once. Safe to call from any thread and more than once.</summary>
    /// <exception cref="LibtorchNotLoadedException">A library is missing or does not load; the message says which and why.</exception>
    public static void Load()
    {
        lock (Gate)
        {
            if (_loaded) return;
            if (OperatingSystem.IsLinux()) LoadOnLinux();
            _loaded = true;
        }
    }

    /// <summary><see cref="Load"/>, where a failure may wait: whatever needs libtorch first says it.</summary>
    /// <returns>Whether libtorch is loaded.</returns>
    public static bool TryLoad()
    {
        try
        {
            Load();
            return true;
        }
        catch (LibtorchNotLoadedException)
        {
            return false;
        }
    }

    private static void LoadOnLinux()
    {
        var chosen = Environment.GetEnvironmentVariable(FolderVariable);
        var packaged = PackagedFolder();
        var torchSharp = Path.Combine(packaged, "libLibTorchSharp.so");
        if (!File.Exists(torchSharp))
        {
            if (string.IsNullOrEmpty(chosen)) return;
            throw new LibtorchNotLoadedException($"{torchSharp} is missing; it comes with the TorchSharp package and must lie beside the program.");
        }

        var folder = string.IsNullOrEmpty(chosen) ? packaged : Path.GetFullPath(chosen);
        if (!File.Exists(Path.Combine(folder, Libtorch)))
            throw new LibtorchNotLoadedException(
                $"{folder} holds no libtorch_cpu.so. Point {FolderVariable} at the folder of libtorch libraries (of PyTorch: its torch/lib), "
                + "or unset it.");
        RequireTheOnlyOne(folder, packaged);

        // Loaded by path and first, these satisfy TorchSharp's library by their names wherever that one lies.
        foreach (var name in (string[])["libc10.so", Libtorch, "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"])
        {
            var path = Path.Combine(folder, name);
            if (File.Exists(path)) LoadOrThrow(path);
        }

        if (!NativeLibrary.TryLoad(torchSharp, out _))
        {
            var mended = WeakSymbolVersion.MendedCopy(torchSharp, "GLIBCXX_3.4.32");
            LoadOrThrow(mended ?? torchSharp);
            UsesMendedCopy = true;
        }

        LibtorchFolder = folder;
    }

    /// <summary>
    /// TorchSharp looks beside the program before it looks at what is loaded: a libtorch there would be loaded as well, and two of them end the
    /// process.
    /// </summary>
    private static void RequireTheOnlyOne(string folder, string packaged)
    {
        var beside = Path.Combine(packaged, Libtorch);
        if (File.Exists(beside) && RealPath(beside) != RealPath(Path.Combine(folder, Libtorch)))
            throw new LibtorchNotLoadedException(
                $"{FolderVariable} names {folder}, but TorchSharp would load {beside} beside it. Remove that file, or unset {FolderVariable}.");
    }

    private static string RealPath(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;

    private static string PackagedFolder()
    {
        var root = AppContext.BaseDirectory;
        var platform = RuntimeInformation.RuntimeIdentifier.Contains("arm64") ? "linux-arm64" : "linux-x64";
        var byPlatform = Path.Combine(root, "runtimes", platform, "native");
        return File.Exists(Path.Combine(byPlatform, "libLibTorchSharp.so")) ? byPlatform : root;
    }

    private static void LoadOrThrow(string path)
    {
        try
        {
            _ = NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or Win32Exception or OutOfMemoryException)
        {
            throw new LibtorchNotLoadedException($"{path} does not load: {e.Message} {ProcessLimits.AboutAddressSpace}".TrimEnd(), e);
        }
    }
}

/// <summary>libtorch, or TorchSharp's native library, is missing or does not load on this machine.</summary>
public sealed class LibtorchNotLoadedException(string message, Exception? inner = null) : Exception(message, inner);
