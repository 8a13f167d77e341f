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
/// <c>torch/lib</c> of an installed PyTorch, that libtorch is used, CUDA included. The packaged <c>libtorch_cpu.so</c> (on Windows
/// <c>torch_cpu.dll</c>) must then be removed. On macOS this is refused.</item>
/// </list>
/// </remarks>
public static class NativeLibtorch
{
    /// <summary>Environment variable naming a folder of libtorch libraries to use instead of the packaged ones.</summary>
    public const string FolderVariable = "JEPASHARP_LIBTORCH";

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
            LoadFiles(Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } chosen ? chosen : null, LibtorchFiles.Here);
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

    internal static void LoadFiles(string? chosen, LibtorchFiles? files)
    {
        if (files is null)
        {
            // Where nothing is loaded by us, TorchSharp finds the packaged libraries.
            if (chosen is null) return;
            throw new LibtorchNotLoadedException($"{FolderVariable} is understood on Linux and Windows, not here. Unset it.");
        }

        var packaged = files.PackagedFolder(AppContext.BaseDirectory, RuntimeInformation.ProcessArchitecture);
        var torchSharp = Path.Combine(packaged, files.TorchSharp);
        if (!File.Exists(torchSharp))
        {
            if (chosen is null) return;
            throw new LibtorchNotLoadedException($"{torchSharp} is missing; it comes with the TorchSharp package and must lie beside the program.");
        }

        var folder = chosen is null ? packaged : Path.GetFullPath(chosen);
        if (!File.Exists(Path.Combine(folder, files.Libtorch)))
            throw new LibtorchNotLoadedException(
                $"{folder} holds no {files.Libtorch}. Point {FolderVariable} at the folder of libtorch libraries (of PyTorch: its torch/lib), "
                + "or unset it.");
        RequireTheOnlyOne(folder, packaged, files.Libtorch);

        // Loaded by path and first, these satisfy TorchSharp's library by their names wherever that one lies.
        foreach (var name in files.InOrder)
        {
            var path = Path.Combine(folder, name);
            if (File.Exists(path)) LoadOrThrow(path);
        }

        if (files != LibtorchFiles.Linux)
        {
            LoadOrThrow(torchSharp);
        }
        else if (!NativeLibrary.TryLoad(torchSharp, out _))
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
    private static void RequireTheOnlyOne(string folder, string packaged, string libtorch)
    {
        var beside = Path.Combine(packaged, libtorch);
        var names = OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        if (File.Exists(beside) && !string.Equals(RealPath(beside), RealPath(Path.Combine(folder, libtorch)), names))
            throw new LibtorchNotLoadedException(
                $"{FolderVariable} names {folder}, but TorchSharp would load {beside} beside it. Remove that file, or unset {FolderVariable}.");
    }

    private static string RealPath(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;

    private static void LoadOrThrow(string path)
    {
        try
        {
            _ = NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or Win32Exception or OutOfMemoryException)
        {
            var advice = OperatingSystem.IsWindows()
                ? WindowsLoading.About(e, Environment.SystemDirectory, Path.GetDirectoryName(path)!)
                : ProcessLimits.AboutAddressSpace;
            throw new LibtorchNotLoadedException($"{path} does not load: {e.Message} {advice}".TrimEnd(), e);
        }
    }
}

/// <summary>libtorch, or TorchSharp's native library, is missing or does not load on this machine.</summary>
public sealed class LibtorchNotLoadedException(string message, Exception? inner = null) : Exception(message, inner);
