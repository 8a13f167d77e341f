using System.Text.RegularExpressions;
using CsCheck;
using JepaSharp.Cli.Display;
using JepaSharp.Tests.Training.Progress;
using JepaSharp.Training.Progress;

namespace JepaSharp.Tests.Cli;

public sealed partial class ConsoleProgressTests
{
    private static readonly RunPlan Plan = new("tiny", 10, 10, 100, 0, 64, Steps.Numbers);
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly FakeClock _clock = new();

    [Fact]
    public void Look_ThatTakesLong_IsCounted_AndAShortOneIsNot()
    {
        var progress = new ConsoleProgress(new Terminal(TextWriter.Null, _error), clock: _clock);
        progress.OnStart(Plan);
        progress.OnLook("measuring the encoder", 64, 1000);
        _clock.Advance(1);
        progress.OnLook("measuring the encoder", 128, 1000);
        Assert.Equal("", _error.ToString());
        _clock.Advance(1.5);
        progress.OnLook("measuring the encoder", 320, 1000);
        Assert.Equal("measuring the encoder: 320 of 1,000 images\n", _error.ToString());
        _clock.Advance(5);
        progress.OnLook("measuring the encoder", 640, 1000);
        _clock.Advance(6);
        progress.OnLook("measuring the encoder", 960, 1000);
        Assert.EndsWith("measuring the encoder: 960 of 1,000 images\n", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, _error.ToString().Count(c => c == '\n'));
        progress.OnLook("the monitors read", 32, 64); // another look begins anew
        Assert.Equal(2, _error.ToString().Count(c => c == '\n'));
    }

    [Fact]
    public void Progress_NotOnATerminal_IsAPlainLineEveryTenSeconds()
    {
        Watch(new ConsoleProgress(new Terminal(TextWriter.Null, _error), clock: _clock), steps: 25, secondsEach: 1);
        Assert.Equal(
            [
                " 10%  step  10/100  epoch  1/10  loss 0.5000    64 images/s  data wait 25%     1:30 left",
                " 20%  step  20/100  epoch  2/10  loss 0.5000    64 images/s  data wait 25%     1:20 left",
                " 25%  step  25/100  epoch  3/10  loss 0.5000    64 images/s  data wait 25%     1:15 left",
                "Stopped after 25 steps, 25 s.",
            ],
            Lines());
    }

    [Fact]
    public void Progress_QuietOnATerminal_HasNoControlCharacters()
    {
        Watch(
            new ConsoleProgress(new Terminal(TextWriter.Null, _error, errorIsTerminal: true), quiet: true, clock: _clock), steps: 25, secondsEach: 1);
        Assert.DoesNotContain(_error.ToString(), c => char.IsControl(c) && c != '\n');
    }

    [Fact]
    public void Progress_OnATerminal_RedrawsOneLineAtMostTenTimesASecondAndLeavesACleanLine()
    {
        Watch(new ConsoleProgress(new Terminal(TextWriter.Null, _error, errorIsTerminal: true, width: () => 70), clock: _clock), steps: 100,
            secondsEach: 0.01);
        var drawn = Redraw().Split(_error.ToString()).Where(s => s.Contains('[', StringComparison.Ordinal)).ToList();
        Assert.InRange(drawn.Count, 9, 12);
        Assert.All(drawn, line => Assert.InRange(line.Split('\n')[0].Length, 20, 69));
        Assert.EndsWith("0 s left\nStopped after 100 steps, 25 s.\n", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Message_WhileTheLineIsDrawn_GetsALineOfItsOwn()
    {
        var progress = new ConsoleProgress(new Terminal(TextWriter.Null, _error, errorIsTerminal: true), clock: _clock);
        progress.OnStart(Plan);
        progress.OnStep(Steps.Number(1));
        progress.OnMeasures(3, 30, new Dictionary<string, double> { ["rankme"] = 12.3456, ["knn"] = 0.5 });
        Assert.Contains("\r\u001b[Kafter epoch 3: rankme 12.35, knn 0.5\n\r\u001b[K[", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_OfTheMonitors_JoinsTheLineAndIsNoLineOfItsOwn()
    {
        ITrainingObserver progress = new ConsoleProgress(new Terminal(TextWriter.Null, _error), clock: _clock);
        progress.OnStart(Plan);
        progress.OnMeasures(0, 0, new JepaSharp.Monitoring.MonitorReading(0.4, 0.25, 0.1, 7.2, 20, 0.3, 0.9).ToMeasures());
        _clock.Advance(10);
        progress.OnStep(Steps.Number(1));
        progress.OnWarning(1, "look");
        Assert.Equal(2, Lines().Length);
        Assert.Contains("loss 0.5000  constant 0.2500 at step 0  RankMe  7.2 at step 0  ", Lines()[0], StringComparison.Ordinal);
        Assert.Equal("warning at step 1: look", Lines()[1]);
    }

    [Fact]
    public void Line_OfAnyWidth_FitsAndKeepsTheLoss() => Gen.Select(Gen.Int[15, 200], Gen.Long[1, 1_000_000]).Sample(
        (width, step) =>
        {
            var status = new RunStatus(Plan with { TotalSteps = 1_000_000 });
            status.Add(Steps.Number(step, total: 1_000_000));
            var line = ProgressLine.WithBar(status, width);
            Assert.True(line.Length <= width, $"{line.Length} > {width}");
            Assert.Contains("loss 0.5000", line, StringComparison.Ordinal);
        });

    [Fact]
    public void Loss_Smoothed_IsAWeightedMeanOfWhatCame()
    {
        var average = new SmoothedAverage(10);
        average.Add(4);
        Assert.Equal(4, average.Value, 12);
        average.Add(1);
        Assert.Equal(((0.9 * 4) + 1) / 1.9, average.Value, 12);
    }

    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(59.6, "1:00")]
    [InlineData(3725, "1:02:05")]
    [InlineData(97500, "1 d 03:05")]
    public void Duration_OfSeconds_IsReadable(double seconds, string text) =>
        Assert.Equal(text, ProgressLine.Duration(TimeSpan.FromSeconds(seconds)));

    private void Watch(ConsoleProgress progress, int steps, double secondsEach)
    {
        progress.OnStart(Plan);
        for (var step = 1; step <= steps; step++)
        {
            _clock.Advance(secondsEach);
            progress.OnStep(Steps.Number(step, seconds: 0.75 * secondsEach, wait: 0.25 * secondsEach));
        }

        progress.OnEnd(new RunEnd(RunOutcome.Stopped, steps, TimeSpan.FromSeconds(25)));
    }

    private string[] Lines() => _error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex("\r\u001b\\[K")]
    private static partial Regex Redraw();
}
