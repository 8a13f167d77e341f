using System.Runtime.InteropServices;
using JepaSharp.Cli;
using JepaSharp.Cli.Display;

namespace JepaSharp.Tests.Cli;

/// <summary>What the command does on Windows, asked with values as Windows would give them.</summary>
public sealed class WindowsBehaviourTests
{
    [Fact]
    public void SignalsOf_Windows_AreAllThatAConsoleSends()
    {
        Assert.Equal(
            [PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGHUP, PosixSignal.SIGTERM], StopSignals.SignalsOf(onWindows: true, onMac: false));
        Assert.DoesNotContain(PosixSignal.SIGQUIT, StopSignals.SignalsOf(onWindows: false, onMac: false)); // a stack of threads, for whoever debugs
    }

    [Theory]
    [InlineData(PosixSignal.SIGINT, 130, false)]
    [InlineData(PosixSignal.SIGQUIT, 130, false)]
    [InlineData(PosixSignal.SIGHUP, 129, true)]
    [InlineData(PosixSignal.SIGTERM, 143, true)]
    public void Signal_OnWindows_HasItsExitCodeAndWaitsWhereTheSystemEndsTheProcess(PosixSignal signal, int exitCode, bool waits)
    {
        Assert.Equal(exitCode, StopSignals.ExitCodeOf(signal));
        Assert.Equal(waits, StopSignals.EndsOnReturn(signal, onWindows: true));
        Assert.False(StopSignals.EndsOnReturn(signal, onWindows: false));
    }

    [Theory]
    [InlineData(@"\\.\NUL", true)]
    [InlineData(@"\\.\pipe\results", true)]
    [InlineData(@"\\?\C:\results\knn.json", false)]
    [InlineData(@"\\server\results\knn.json", false)]
    [InlineData(@"C:\results\knn.json", false)]
    public void IsWindowsDevice_OfAFullPath_TellsDevicesFromFiles(string path, bool isDevice) =>
        Assert.Equal(isDevice, WholeFile.IsWindowsDevice(path));

    [Fact]
    public void Console_ElsewhereThanOnWindows_IsLeftAsItIs()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("This is Windows.");
        Assert.Null(WindowsConsole.SpeakUtf8());
        Assert.True(WindowsConsole.ObeysEscapes(WindowsConsole.Output));
    }
}
