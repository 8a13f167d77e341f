using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>Whether tiles may be used, and what is said where not.</summary>
public sealed class AmxSupportTests
{
    private const uint Both = (1u << 22) | (1u << 24);
    private const ulong Saved = 0x60000;

    [Theory]
    [InlineData(Both, Saved, 0, null)]
    [InlineData(1u << 24, Saved, 0, "the processor has no AMX tiles")]
    [InlineData(1u << 22, Saved, 0, "the processor has no AMX tiles")]
    [InlineData(Both, 0x20000ul, 0, "XCR0")]
    [InlineData(Both, Saved, 28, "ENOSPC")]
    [InlineData(Both, Saved, 22, "since 5.16")]
    [InlineData(Both, Saved, 95, "since 5.16")]
    [InlineData(Both, Saved, 1, "error 1")]
    public void Explain_OfWhatWasFound_SaysWhatIsMissing(uint features, ulong states, int error, string? part)
    {
        var asked = 0;
        var missing = AmxSupport.Explain(features, states, () =>
        {
            asked++;
            return error;
        });
        if (part is null) Assert.Null(missing);
        else Assert.Contains(part, missing!, StringComparison.Ordinal);
        Assert.Equal(features == Both && states == Saved ? 1 : 0, asked);
    }

    [Fact]
    public void Support_OnThisMachine_IsThereOrSaysWhyNot()
    {
        Assert.Equal(AmxSupport.IsSupported, AmxSupport.Missing is null);
        Assert.NotEmpty(AmxSupport.Reason);
        if (AmxSupport.IsSupported) return;
        Assert.Contains(AmxSupport.Reason, Assert.Throws<PlatformNotSupportedException>(() => AmxCode.Placed).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SavedStates_WhereThereIsAvx_HoldItsVectors()
    {
        Assert.SkipUnless(Avx.IsSupported && OperatingSystem.IsLinux(), "This machine has no AVX, or another system than Linux.");
        Assert.Equal(7ul, AmxSupport.ReadSavedStates() & 7);
    }

    [Fact]
    public void SignalStack_OnceEnlarged_StillTurnsAMistakeIntoAnException()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The signal stacks of .NET's threads are looked at on Linux alone.");
        (nint before, nint after, Exception? thrown) = (0, 0, null);
        var thread = new Thread(() =>
        {
            before = SignalStack.Size();
            SignalStack.Enlarge();
            SignalStack.Enlarge();
            after = SignalStack.Size();
            thrown = Record.Exception(() => LengthOf(null!));
        });
        thread.Start();
        thread.Join();
        Assert.True(before > 0, "threads have one");
        Assert.True(after >= 65536, $"{before} bytes became {after}");
        Assert.IsType<NullReferenceException>(thrown);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int LengthOf(string text) => text.Length;
}
