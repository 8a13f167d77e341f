using JepaSharp.Faults;

namespace JepaSharp.Tests.Training;

/// <summary>The short version of <c>JepaSharp.Faults kills 100</c> (docs/reliability.md).</summary>
public sealed class KillTests
{
    [Fact]
    public void Run_KilledAndResumed_EndsInTheSameBitsAsAnUnbrokenRun()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Signals and the loss of power are simulated as Linux does them.");
        var said = new List<string>();
        var isSame = new KillHarness(said.Add).Run(kills: 3, seed: 11, [Fault.Terminate, Fault.PowerLoss, Fault.Kill]);
        Assert.True(isSame, string.Join('\n', said));
    }
}
