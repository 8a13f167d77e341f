using System.Runtime.InteropServices;

namespace JepaSharp.Runtime;

/// <summary>What the libraries are called on a system, and the order in which they are loaded.</summary>
/// <param name="TorchSharp">TorchSharp's native half.</param>
/// <param name="Libtorch">The library that no libtorch is without.</param>
/// <param name="InOrder">libtorch's libraries, each behind those that it needs; those for CUDA are not everywhere.</param>
/// <param name="Platform">The first part of the package's folder: linux, win.</param>
internal sealed record LibtorchFiles(string TorchSharp, string Libtorch, IReadOnlyList<string> InOrder, string Platform)
{
    public static LibtorchFiles Linux { get; } = new("libLibTorchSharp.so", "libtorch_cpu.so",
        ["libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"], "linux");

    public static LibtorchFiles Windows { get; } = new("LibTorchSharp.dll", "torch_cpu.dll",
        ["c10.dll", "torch_cpu.dll", "c10_cuda.dll", "torch_cuda.dll", "torch.dll"], "win");

    /// <summary>This system's, where a libtorch can be chosen; else null.</summary>
    public static LibtorchFiles? Here => OperatingSystem.IsLinux() ? Linux : OperatingSystem.IsWindows() ? Windows : null;

    /// <summary>Where the packaged libraries lie below a program's folder: in <c>runtimes/PLATFORM/native</c>, else in the folder itself.</summary>
    public string PackagedFolder(string root, Architecture processor)
    {
        var byPlatform = Path.Combine(root, "runtimes", $"{Platform}-{(processor == Architecture.Arm64 ? "arm64" : "x64")}", "native");
        return File.Exists(Path.Combine(byPlatform, TorchSharp)) ? byPlatform : root;
    }
}
