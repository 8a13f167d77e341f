namespace JepaSharp.Objectives;

/// <summary>A temperature of every epoch: as it begins, then on a line to where it stays.</summary>
/// <remarks>Epoch e, from 0, of n that warm up: start + e (end - start) / (n - 1), both ends included; end from then on. All of it later by the
/// epochs that it waits for.</remarks>
/// <param name="Start">Where it begins.</param>
/// <param name="End">Where it stays.</param>
/// <param name="WarmupEpochs">n: epochs between; 0 or 1 for none.</param>
/// <param name="Wait">Epochs at the start's value before those.</param>
public sealed record TemperatureSchedule(double Start, double End, int WarmupEpochs = 0, int Wait = 0)
{
    /// <summary>The temperature of an epoch.</summary>
    /// <param name="epoch">Epochs finished before it.</param>
    public double At(int epoch)
    {
        if (epoch < Wait) return Start;
        var done = epoch - Wait;
        if (done >= WarmupEpochs) return End;
        return WarmupEpochs == 1 ? Start : Start + (done * (End - Start) / (WarmupEpochs - 1));
    }
}
