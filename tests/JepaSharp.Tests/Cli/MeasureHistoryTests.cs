using JepaSharp.Cli.Display;
using JepaSharp.Monitoring;
using JepaSharp.Training.Progress;

namespace JepaSharp.Tests.Cli;

/// <summary>A number stands only under the step at which it was measured.</summary>
public sealed class MeasureHistoryTests
{
    private readonly StringWriter _out = new() { NewLine = "\n" };

    [Fact]
    public void Reading_OfAnotherStep_IsNotCarriedForward()
    {
        var history = Started(new MeasureHistory());
        Read(history, 0, loss: 0.444);
        Probe(history, 0);
        foreach (var epoch in new[] { 1, 2, 3, 4 }) Probe(history, 10 * epoch);
        Assert.Equal(["untrained", "epoch", "2", "epoch", "4"], Row(history, "measure"));
        Assert.Equal(["0.444", "-", "-"], Row(history, "loss, always with the same masks"));
    }

    [Fact]
    public void Middle_OfTheTable_IsWhereTheMonitorsReadToo()
    {
        var history = Started(new MeasureHistory());
        Read(history, 0, loss: 0.444);
        Probe(history, 0);
        Read(history, 30, loss: 0.2);
        Read(history, 35, loss: 0.15);
        Read(history, 40, loss: 0.1);
        foreach (var epoch in new[] { 1, 2, 3, 4 }) Probe(history, 10 * epoch);
        Assert.Equal(["untrained", "epoch", "3", "epoch", "4"], Row(history, "measure"));
        Assert.Equal(["0.444", "0.200", "0.100"], Row(history, "loss, always with the same masks"));
    }

    [Fact]
    public void Run_ThatEndsWithinAnEpochOrBeganWithWeights_HasTrueTitles()
    {
        var history = Started(new MeasureHistory("beginning"));
        Probe(history, 0);
        Probe(history, 3);
        Assert.Equal(["beginning", "step", "3"], Row(history, "measure"));
    }

    [Fact]
    public void Measures_OfAnEarlierProcess_AreThoseOfTheirSteps()
    {
        var history = Started(new MeasureHistory("beginning"));
        var reading = new MonitorReading(0.444, 1, 1, 2, 3, 4, 5).ToMeasures().Append(KeyValuePair.Create("rankme", 7.0));
        history.Remember([new TakenMeasures(0, 0, reading.ToDictionary()), new TakenMeasures(0, 5, new MonitorGlance(1, 2).ToMeasures())]);
        Probe(history, 40);
        Assert.Equal(["7.000", "40.0"], Row(history, "RankMe (effective rank of features)"));
        Assert.Equal(["0.444", "-"], Row(history, "loss, always with the same masks"));
    }

    private static MeasureHistory Started(MeasureHistory history)
    {
        history.OnStart(new RunPlan("tiny", 4, 10, 40, 0, 8, []));
        return history;
    }

    private static void Read(MeasureHistory history, long step, double loss) =>
        history.OnMeasures(0, step, new MonitorReading(loss, 1, 1, 2, 3, 4, 5).ToMeasures());

    private static void Probe(MeasureHistory history, long step) =>
        history.OnMeasures((int)(step / 10), step, new Dictionary<string, double> { ["rankme"] = step });

    private string[] Row(MeasureHistory history, string name)
    {
        _out.GetStringBuilder().Clear();
        history.Table().Print(new Terminal(_out, TextWriter.Null));
        var row = _out.ToString().Split('\n').First(line => line.StartsWith(name, StringComparison.Ordinal));
        return row[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
