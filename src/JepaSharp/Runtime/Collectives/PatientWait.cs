using System.Diagnostics;

namespace JepaSharp.Runtime.Collectives;

/// <summary>Waits for something that has to be asked for again and again: quickly at first, then without using up a core.</summary>
internal struct PatientWait
{
    private const int Spins = 50;
    private static readonly TimeSpan Yields = TimeSpan.FromMilliseconds(1), Short = TimeSpan.FromSeconds(2);

    private readonly long _begun = Stopwatch.GetTimestamp();
    private int _asked;

    public PatientWait()
    {
    }

    /// <summary>How long it has been waited.</summary>
    public readonly TimeSpan Elapsed => Stopwatch.GetElapsedTime(_begun);

    /// <summary>Lets a moment go by.</summary>
    public void Pause()
    {
        if (_asked++ < Spins) Thread.SpinWait(20);
        else if (Elapsed is var waited && waited < Yields) Thread.Yield();
        else Thread.Sleep(waited < Short ? 1 : 5);
    }
}
