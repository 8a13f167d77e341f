using System.Runtime.InteropServices;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Runtime;

/// <summary>What is said where libtorch does not load, of Windows with values as it would give them.</summary>
public sealed class WindowsLoadingTests
{
    private const string Text =
        "Unable to load DLL 'C:\\x\\c10.dll' or one of its dependencies: The specified module could not be found. (0x8007007E)";

    [Fact]
    public void About_WhereTheRedistributableIsMissing_NamesWhatIsMissingAndWhereToGetIt()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["MSVCP140.dll"], []);
        var said = WindowsLoading.About(new DllNotFoundException(Text), folder.Path);
        Assert.Contains("needs VCRUNTIME140.dll, VCRUNTIME140_1.dll, which this machine lacks", said, StringComparison.Ordinal);
        Assert.Contains("https://aka.ms/vs/17/release/vc_redist.x64.exe", said, StringComparison.Ordinal);
    }

    [Fact]
    public void About_WhereItIsThere_DoesNotBlameIt()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in (string[])["MSVCP140.dll", "VCRUNTIME140.dll", "VCRUNTIME140_1.dll"]) File.WriteAllBytes(folder[name], []);
        Assert.Contains("all of libtorch's files have to lie in one folder", WindowsLoading.About(new DllNotFoundException(Text), folder.Path),
            StringComparison.Ordinal);
    }

    [Fact]
    public void About_WhereAFunctionIsMissing_SpeaksOfAnotherVersion() =>
        Assert.Contains("of another version", WindowsLoading.About(new DllNotFoundException("... (0x8007007F)")), StringComparison.Ordinal);

    [Fact]
    public void About_WhereTheProcessorIsAnother_SaysWhichDotnetToUse() =>
        Assert.Contains("use .NET for x64", WindowsLoading.About(new BadImageFormatException()), StringComparison.Ordinal);

    [Fact]
    public void About_WhereTheNumberIsAnother_SaysNothing() => Assert.Equal("", WindowsLoading.About(new DllNotFoundException("(0x80070005)")));

    [Fact]
    public void PackagedFolder_OfWindows_IsWhereItsPackagesPutTheLibraries()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(folder.Path, LibtorchFiles.Windows.PackagedFolder(folder.Path, Architecture.X64));
        var native = Directory.CreateDirectory(Path.Combine(folder.Path, "runtimes", "win-x64", "native")).FullName;
        File.WriteAllBytes(Path.Combine(native, "LibTorchSharp.dll"), []);
        Assert.Equal(native, LibtorchFiles.Windows.PackagedFolder(folder.Path, Architecture.X64));
        Assert.Equal(folder.Path, LibtorchFiles.Windows.PackagedFolder(folder.Path, Architecture.Arm64));
    }

    [Fact]
    public void LoadFiles_WhereNoLibtorchCanBeChosen_RefusesTheVariable()
    {
        NativeLibtorch.LoadFiles(null, files: null);
        var refused = Assert.Throws<LibtorchNotLoadedException>(() => NativeLibtorch.LoadFiles("/somewhere", files: null));
        Assert.Contains("Unset it", refused.Message, StringComparison.Ordinal);
    }
}
