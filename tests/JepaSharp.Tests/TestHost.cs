using System.Runtime.CompilerServices;
using JepaSharp.Runtime;

namespace JepaSharp.Tests;

/// <summary>
/// The tests' process is a host of the library as the command is: tuned, and with libtorch loaded before any test touches TorchSharp.
/// </summary>
internal static class TestHost
{
#pragma warning disable CA2255 // the test runner owns Main
    [ModuleInitializer]
    internal static void Start()
    {
        RuntimeTuning.Apply();
        NativeLibtorch.TryLoad();
    }
#pragma warning restore CA2255
}
