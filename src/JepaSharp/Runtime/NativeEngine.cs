using System.ComponentModel;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace JepaSharp.Runtime;

/// <summary>Loads libtorch and TorchSharp's native half before anything uses them.</summary>
/// <remarks>
/// Runs by itself when JepaSharp is first touched. Two things are mended on the way:
/// <list type="bullet">
/// <item>On systems whose libstdc++ is older than GLIBCXX_3.4.32 (Debian 12, Ubuntu 22.04) the published library does not load;
/// a copy whose requirement is marked weak is loaded instead (see <see cref="WeakSymbolVersion"/>).</item>
/// <item>With the environment variable <c>JEPASHARP_LIBTORCH</c> set to a folder of libtorch libraries, for instance the
/// <c>torch/lib</c> of an installed PyTorch, that libtorch is used, CUDA included.</item>
/// </list>
/// </remarks>
public static class NativeEngine
{
    /// <summary>Environment variable naming a folder of libtorch libraries to use instead of the packaged ones.</summary>
    public const string FolderVariable = "JEPASHARP_LIBTORCH";

    /// <summary>Switch (<see cref="AppContext"/>) that a program turns off which calls <see cref="Load"/> itself: what needs no engine then starts without one.</summary>
    public const string AtStartSwitch = "JepaSharp.LoadEngineAtStart";

    private static readonly Lock Gate = new();
    private static bool _loaded;

    /// <summary>The folder that libtorch was loaded from, or null where the system's own search found it.</summary>
    public static string? LibtorchFolder { get; private set; }

    /// <summary>Whether TorchSharp's native library had to be loaded from a mended copy.</summary>
    public static bool UsesMendedCopy { get; private set; }

    /// <summary>Loads the native libraries, once. Safe to call from any thread and more than once.</summary>
    /// <exception cref="EngineNotLoadedException">A library is missing or does not load; the message says which and why.</exception>
    public static void Load()
    {
        lock (Gate)
        {
            if (_loaded) return;
            if (OperatingSystem.IsLinux()) LoadOnLinux();
            _loaded = true;
        }
    }

#pragma warning disable CA2255 // a library that cannot run without its engine loads it as it is itself loaded
    [ModuleInitializer]
    internal static void LoadWithTheAssembly()
    {
        if (AppContext.TryGetSwitch(AtStartSwitch, out var atStart) && !atStart) return;
        // A failure is reported by the first explicit Load (or by TorchSharp itself): an assembly that cannot be loaded
        // at all could not even say what is wrong.
        try { Load(); }
        catch (EngineNotLoadedException) { }
    }
#pragma warning restore CA2255

    private static void LoadOnLinux()
    {
        var chosen = Environment.GetEnvironmentVariable(FolderVariable);
        var packaged = PackagedFolder();
        var torchSharp = Path.Combine(packaged, "libLibTorchSharp.so");
        if (!File.Exists(torchSharp))
        {
            if (string.IsNullOrEmpty(chosen)) return;
            throw new EngineNotLoadedException($"{torchSharp} is missing; it comes with the TorchSharp package and must lie beside the program.");
        }

        var folder = string.IsNullOrEmpty(chosen) ? packaged : Path.GetFullPath(chosen);
        if (!File.Exists(Path.Combine(folder, "libtorch_cpu.so")))
            throw new EngineNotLoadedException(
                $"{folder} holds no libtorch_cpu.so. Point {FolderVariable} at the folder of libtorch libraries (of PyTorch: its torch/lib), or unset it.");

        MemoryAllocator.KeepLargeBlocks();
        OpenMpWaiting.LetThreadsSleep();
        // Loaded by path and first, these satisfy TorchSharp's library by their names wherever that one lies.
        foreach (var name in (string[])["libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"])
        {
            var path = Path.Combine(folder, name);
            if (File.Exists(path)) LoadOrThrow(path);
        }

        if (!NativeLibrary.TryLoad(torchSharp, out var handle))
        {
            var mended = WeakSymbolVersion.MendedCopy(torchSharp, "GLIBCXX_3.4.32");
            handle = LoadOrThrow(mended ?? torchSharp);
            UsesMendedCopy = true;
        }

        NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, (name, _, _) => name == "LibTorchSharp" ? handle : IntPtr.Zero);
        SkipTheEnginesOwnSearch();
        LibtorchFolder = folder;
    }

    /// <summary>TorchSharp would search the program's folder and could load a second libtorch beside the chosen one.</summary>
    private static void SkipTheEnginesOwnSearch()
    {
        foreach (var name in (string[])["nativeBackendLoaded", "nativeBackendCudaLoaded"])
            typeof(torch).GetField(name, BindingFlags.Static | BindingFlags.NonPublic)?.SetValue(null, true);
    }

    private static string PackagedFolder()
    {
        var root = AppContext.BaseDirectory;
        var byPlatform = Path.Combine(root, "runtimes", RuntimeInformation.RuntimeIdentifier.Contains("arm64") ? "linux-arm64" : "linux-x64", "native");
        return File.Exists(Path.Combine(byPlatform, "libLibTorchSharp.so")) ? byPlatform : root;
    }

    private static IntPtr LoadOrThrow(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or Win32Exception or OutOfMemoryException)
        {
            throw new EngineNotLoadedException($"{path} does not load: {e.Message} {ProcessLimits.AboutAddressSpace}".TrimEnd(), e);
        }
    }
}

/// <summary>libtorch, or TorchSharp's native library, is missing or does not load on this machine.</summary>
public sealed class EngineNotLoadedException(string message, Exception? inner = null) : Exception(message, inner);
