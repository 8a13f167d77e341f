using System.Diagnostics;

namespace JepaSharp.Runtime;

/// <summary>Adds up how long the named parts of a repeated work take.</summary>
/// <remarks>
/// Reading a clock a dozen times a step costs nothing that could be measured, so it always runs. On a GPU, times are those of handing work over.
/// </remarks>
public sealed class PhaseClock
{
    private readonly List<string> _order = [];
    private readonly Dictionary<string, TimeSpan> _totals = [];

    /// <summary>Total time of each part so far, in the order in which they were first met.</summary>
    public IReadOnlyList<(string Phase, TimeSpan Total)> Totals => [.. _order.Select(p => (p, _totals[p]))];

    /// <summary>Times a part until disposed.</summary>
    public Running Measure(string phase) => new(this, phase);

    /// <summary>Adds to a part.</summary>
    public void Add(string phase, TimeSpan time)
    {
        if (!_totals.TryGetValue(phase, out var total)) _order.Add(phase);
        _totals[phase] = total + time;
    }

    /// <summary>Forgets what was measured.</summary>
    public void Clear()
    {
        _order.Clear();
        _totals.Clear();
    }

    /// <summary>A part being timed.</summary>
    public readonly struct Running : IDisposable
    {
        private readonly PhaseClock _clock;
        private readonly string _phase;
        private readonly long _start;

        internal Running(PhaseClock clock, string phase) => (_clock, _phase, _start) = (clock, phase, Stopwatch.GetTimestamp());

        /// <inheritdoc/>
        public void Dispose() => _clock.Add(_phase, Stopwatch.GetElapsedTime(_start));
    }
}
