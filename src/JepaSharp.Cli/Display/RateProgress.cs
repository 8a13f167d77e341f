using System.Diagnostics;

namespace JepaSharp.Cli.Display;

/// <summary>Shows how many of so many things are done, how fast, and the time left: one redrawn line on a terminal, a plain line now and then elsewhere.</summary>
/// <param name="terminal">Where to show it.</param>
/// <param name="doing">What is done: "embedding".</param>
/// <param name="things">To what: "images".</param>
/// <param name="total">How many.</param>
/// <param name="before">How many were done before.</param>
internal sealed class RateProgress(Terminal terminal, string doing, string things, int total, int before) : IProgress<int>
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(30), BetweenRedraws = TimeSpan.FromSeconds(0.1);

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _shown;

    public void Report(int value)
    {
        if (_clock.Elapsed - _shown < (terminal.ErrorIsTerminal ? BetweenRedraws : BetweenLines)) return;
        _shown = _clock.Elapsed;
        var rate = (value - before) / _clock.Elapsed.TotalSeconds;
        var left = rate > 0 ? TimeSpan.FromSeconds(Math.Min((total - value) / rate, TimeSpan.FromDays(999).TotalSeconds)) : TimeSpan.Zero;
        var line = FormattableString.Invariant($"{doing} {value:n0} / {total:n0} {things}  {(double)value / total,4:p0}  {rate:n1} {things}/s  {ProgressLine.Duration(left)} left");
        if (terminal.ErrorIsTerminal) terminal.Redraw(line);
        else terminal.Error.WriteLine(line);
    }

    /// <summary>Takes the line away.</summary>
    public void Finish()
    {
        if (terminal.ErrorIsTerminal) terminal.Erase();
    }
}
