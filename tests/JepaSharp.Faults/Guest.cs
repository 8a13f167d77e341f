using System.Collections;
using System.Reflection;
using System.Runtime.InteropServices;
using JepaSharp.Models;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Faults;

/// <summary>Uses the library as a guest in this process, and prints what has become of the process.</summary>
internal static partial class Guest
{
    /// <summary>Lines of "what: before -> after".</summary>
    /// <param name="tuned">Whether to ask for the tuning as well, which should show.</param>
    public static int Run(bool tuned)
    {
        var before = Observed();
        if (tuned) RuntimeTuning.Apply();
        NativeLibtorch.Load();
        Console.WriteLine($"a block of 64 MB, before the library is used: {Place(64 << 20)}");
        Console.WriteLine($"TorchSharp's nativeBackendLoaded, before the library is used: {IsLoaded()}");
        Use();
        foreach (var (what, value) in Observed()) Console.WriteLine($"{what}: {before[what]} -> {value}");
        return 0;
    }

    private static void Use()
    {
        using var scope = NewDisposeScope();
        using var encoder = new VisionTransformer(ModelPresets.Encoder("vit_tiny", 32, 8) with { Depth = 1 });
        Initialization.Initialize(encoder, seed: 0, stream: 0);
        using var flat = new FlatParameters(encoder, trained: true);
        flat.ComputeIn(ScalarType.Float32);
        _ = encoder.forward(zeros(2, 3, 32, 32));
    }

    private static SortedDictionary<string, string> Observed() => new(StringComparer.Ordinal)
    {
        ["environment"] = string.Join(' ', Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(v => $"{v.Key}={v.Value}")
            .Order(StringComparer.Ordinal)).GetHashCode(StringComparison.Ordinal).ToString("x8"),
        ["OMP_WAIT_POLICY"] = Marshal.PtrToStringUTF8(NativeVariable("OMP_WAIT_POLICY")) ?? "unset",
        ["a block of 64 MB"] = Place(64 << 20),
    };

    // TorchSharp sets it itself when it first makes a tensor.
    private static object? IsLoaded() => typeof(torch).GetField("nativeBackendLoaded", BindingFlags.Static | BindingFlags.NonPublic)?.GetValue(null);

    // Untold, glibc maps a block of this size by itself, and says so in a bit of the word before it (IS_MMAPPED).
    private static unsafe string Place(int bytes)
    {
        var block = (nuint*)NativeMemory.Alloc((nuint)bytes);
        var isMapped = (block[-1] & 2) != 0;
        NativeMemory.Free(block);
        return isMapped ? "from the kernel" : "on the heap";
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint NativeVariable(string name);
}
