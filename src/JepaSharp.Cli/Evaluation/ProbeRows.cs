using JepaSharp.Cli.Display;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Evaluation.Tasks;

namespace JepaSharp.Cli.Evaluation;

/// <summary>Runs a probe on each kind of features, one after the other.</summary>
internal static class ProbeRows
{
    /// <summary>The rows: the encoder's, one of them marked; then, if asked for, those of the baselines and of the commonest class.</summary>
    public static IReadOnlyList<ResultRow> Of(ProbeTask task, IReadOnlyList<FeaturePair> features, MatchedClasses classes, bool baselines, Terminal terminal, StopSignals stop)
    {
        var rows = new List<ResultRow>();
        LabelledFeatures? first = null;
        foreach (var pair in features)
        {
            stop.Token.ThrowIfCancellationRequested();
            var labelled = new LabelledFeatures(pair.Name, classes.Fit(pair.Fit), classes.Test(pair.Test), pair.IsBaseline);
            first ??= labelled;
            terminal.Error.WriteLine($"{task.Name} on {pair.Name}: {labelled.Fit.Count:n0} images of {labelled.Fit.Classes} classes, {labelled.Fit.Features.Width:n0} features");
            foreach (var row in task.Run(labelled))
            {
                rows.Add(row);
                terminal.Error.WriteLine("  " + ResultTables.Line(row)); // a probe takes minutes: what is known is said, and not lost if the next is stopped
            }
        }

        if (baselines) rows.Add(ProbeTask.Majority(first!));
        return FeatureChoice.Mark(rows);
    }
}
