using System.Diagnostics;
using System.Globalization;
using JepaSharp.Training.Progress;

namespace JepaSharp.Cli.Display;

/// <summary>One line that says where a run stands.</summary>
internal static class ProgressLine
{
    /// <summary>The full line, for a log.</summary>
    public static string Plain(RunStatus s) => string.Join("  ", Parts(s).Select(p => p.Text));

    /// <summary>The line with a bar, at most <paramref name="width"/> columns: what matters least is left out first.</summary>
    public static string WithBar(RunStatus s, int width)
    {
        const int SmallestBar = 10, LargestBar = 40;
        var parts = Parts(s).ToList();
        while (parts.Count > 1 && Length(parts) + 2 + SmallestBar > width) parts.Remove(parts.MinBy(p => p.Weight));
        var text = string.Join("  ", parts.Select(p => p.Text));
        var room = Math.Min(width - text.Length - 2, LargestBar);
        if (room < SmallestBar) return text.Length <= width ? text : text[..width];
        var filled = (int)Math.Round(s.Progress * (room - 2));
        return $"[{new string('=', filled)}{new string(' ', room - 2 - filled)}]  {text}";
    }

    /// <summary>43 s, 12:05 or 3:04:09; 2 d 03:04 for days.</summary>
    public static string Duration(TimeSpan t)
    {
        var rounded = TimeSpan.FromSeconds(Math.Round(t.TotalSeconds));
        FormattableString text = rounded switch
        {
            { TotalMinutes: < 1 } => $"{rounded.Seconds} s",
            { TotalHours: < 1 } => $"{rounded.Minutes}:{rounded.Seconds:D2}",
            { TotalDays: < 1 } => $"{rounded.Hours}:{rounded.Minutes:D2}:{rounded.Seconds:D2}",
            _ => $"{rounded.Days} d {rounded.Hours:D2}:{rounded.Minutes:D2}",
        };
        return text.ToString(CultureInfo.InvariantCulture);
    }

    // Padded, so that neither a bar nor the columns of a log wander as numbers grow.
    private static IEnumerable<(string Text, int Weight)> Parts(RunStatus s)
    {
        static string Aligned(long n, long most) => Invariant($"{n}").PadLeft(Invariant($"{most}").Length);
        yield return (Invariant($"{100 * s.Progress,3:F0}%"), 5);
        yield return (Invariant($"step {Aligned(s.Step, s.TotalSteps)}/{s.TotalSteps}"), 6);
        yield return (Invariant($"epoch {Aligned(s.Epoch, s.Epochs)}/{s.Epochs}"), 1);
        yield return (Invariant($"loss {s.Loss:F4}"), 8);
        if (s.Read is { } read)
        {
            // A reading is of its own step, often hundreds before this one.
            var when = read.Step == s.Step ? "" : Invariant($" at step {read.Step}");
            if (!double.IsNaN(read.Reading.ConstantLoss)) yield return (Invariant($"constant {read.Reading.ConstantLoss:F4}{when}"), 2);
            yield return (Invariant($"RankMe {read.Reading.RankMe,4:F1}{when}"), 4);
        }

        yield return (Invariant($"{s.ImagesPerSecond,4:F0} images/s"), 3);
        yield return (Invariant($"data wait {100 * s.DataWait,2:F0}%"), 0);
        yield return ($"{Duration(s.TimeLeft),7} left", 7);
    }

    private static int Length(List<(string Text, int Weight)> parts) => parts.Sum(p => p.Text.Length) + (2 * (parts.Count - 1));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Shows a run that is a part of something larger: how many images it has trained on, how fast, and the time left.</summary>
/// <param name="terminal">Where to show it.</param>
/// <param name="doing">What is done: "fine-tuning".</param>
internal sealed class RunProgress(Terminal terminal, string doing) : ITrainingObserver
{
    private RateProgress? _rate;

    public void OnStart(RunPlan plan) =>
        _rate = new RateProgress(terminal, doing, "images", ImagesAt(plan.TotalSteps, plan.BatchSize), ImagesAt(plan.FirstStep, plan.BatchSize));

    public void OnStep(in StepReport step) => _rate?.Report(ImagesAt(step.Step, step.Images));

    public void OnMessage(string text)
    {
        _rate?.Finish();
        terminal.Error.WriteLine(text);
    }

    public void OnWarning(long step, string text) => OnMessage(FormattableString.Invariant($"warning at step {step}: {text}"));

    public void OnEnd(RunEnd end) => _rate?.Finish();

    private static int ImagesAt(long steps, int each) => (int)Math.Min(steps * each, int.MaxValue);
}

/// <summary>Shows how many of so many things are done, how fast, and the time left: one redrawn line on a terminal, a plain line now and then
/// elsewhere.</summary>
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
        var line = FormattableString.Invariant(
            $"{doing} {value:n0} / {total:n0} {things}  {(double)value / total,4:p0}  {rate:n1} {things}/s  {ProgressLine.Duration(left)} left");
        if (terminal.ErrorIsTerminal) terminal.Redraw(line);
        else terminal.Error.WriteLine(line);
    }

    /// <summary>Takes the line away.</summary>
    public void Finish()
    {
        if (terminal.ErrorIsTerminal) terminal.Erase();
    }
}
