using JepaSharp.Training.Progress;

namespace JepaSharp.Reports;

/// <summary>The run over its steps: loss beside what a constant would get, ranks, probes, schedules and speed.</summary>
internal static class CurvesSection
{
    public static string Of(RunRecord run)
    {
        IReadOnlyList<(double, double)> Reading(Func<Monitoring.MonitorReading, double> value) =>
            [.. run.Readings.Select(r => ((double)r.Step, value(r.Reading)))];
        IReadOnlyList<(double, double)> Group(Func<StepGroup, double> value) => [.. run.Groups.Select(g => ((double)g.Step, value(g)))];

        LineChart[] charts =
        [
            new LineChart("Loss", "loss", "Dots: on one sample with masks that never change. A predictor that learns something of the images stays "
                + "below the one that knows positions alone; one that is not even below the constant has learned nothing.", byRatio: true)
                .Add(new ChartLine(
                    "training", Group(g => g.Loss), 1, Band: [.. run.Groups.Select(g => ((double)g.Step, g.LowestLoss, g.HighestLoss))]))
                .Add(new ChartLine("same masks", Reading(r => r.Loss), 4, Dots: true))
                .Add(new ChartLine("position alone", Reading(r => r.PositionLoss), 3, Dots: true))
                .Add(new ChartLine("constant", Reading(r => r.ConstantLoss), 2, Dots: true)),
            new LineChart("Directions in use", "effective rank",
                "RankMe: of pooled features. LiDAR: directions in which images differ more than masked views of one image do. Both fall towards 1 "
                    + "when features collapse.")
                .Add(new ChartLine("RankMe", Reading(r => r.RankMe), 1, Dots: true))
                .Add(new ChartLine("LiDAR", Reading(r => r.Lidar), 2, Dots: true)),
            new LineChart("How far images are apart", "value",
                "Of pooled target features. A deviation near 0 or a cosine near 1 that lasts means that all images look the same.")
                .Add(new ChartLine("mean cosine between images", Reading(r => r.MeanCosine), 2, Dots: true))
                .Add(new ChartLine("deviation of a feature", Reading(r => r.Deviation), 1, Dots: true)),
            Probes(run.Measures),
            new LineChart("Learning rate", "learning rate", "").Add(new ChartLine("learning rate", Group(g => g.LearningRate), 1)),
            new LineChart("Weight decay", "weight decay", "").Add(new ChartLine("weight decay", Group(g => g.WeightDecay), 1)),
            new LineChart("Momentum", "momentum", "How much of the target encoder stays at each step.").Add(
                new ChartLine("momentum", Group(g => g.Momentum), 1)),
            new LineChart("Speed", "images / s", "The wait for data included.").Add(
                new ChartLine("images a second", Group(g => g.ImagesPerSecond), 1)),
        ];
        return "<h2>The run, step by step</h2>\n<div class=\"charts\">\n" + string.Concat(charts.Select(c => c.ToHtml())) + "</div>\n";
    }

    /// <summary>Scores of probes, up to four.</summary>
    private static LineChart Probes(IReadOnlyList<TakenMeasures> measures)
    {
        const int Colours = 4;
        var chart = new LineChart("What probes read out of it", "score",
            "Of a linear probe or of nearest neighbours, on images held out. Accuracy is a share from 0 to 1; R2 is 0 for the mean and 1 for the "
                + "truth.");
        string[] names = [.. measures.SelectMany(m => m.Values.Keys).Where(MeasureWords.IsProbeScore).Distinct().Take(Colours)];
        for (var i = 0; i < names.Length; i++)
        {
            var name = names[i];
            chart.Add(new ChartLine(MeasureWords.Of(name), [.. measures.Where(m => m.Values.ContainsKey(name))
                .Select(m => ((double)m.Step, m.Values[name]))], i + 1, Dots: true));
        }

        return chart;
    }
}
