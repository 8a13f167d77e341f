using JepaSharp.Cli.Display;
using JepaSharp.Studies;
using JepaSharp.Training;

namespace JepaSharp.Cli.Studies;

/// <summary>Makes the runs of a study in this process, one after the other.</summary>
internal sealed class TurnedRuns(StudyRunner runner)
{
    /// <summary>Makes them; one whose numbers are not finite does not keep the others from being made.</summary>
    /// <returns>What failed, a sentence each; where it was stopped, what was not made yet is no failure.</returns>
    public IReadOnlyList<string> Make(IReadOnlyList<PlannedRun> missing, Terminal terminal, StopSignals stop)
    {
        var failures = new List<string>();
        void Say(string line) => terminal.Error.WriteLine(line);
        try
        {
            if (missing.Count > 0) runner.RequireMinutes(stop.Token);
            using var work = stop.WaitForWork(); // from here on a stop ends in a checkpoint
            foreach (var (n, run) in missing.Index())
            {
                Say(FormattableString.Invariant($"run {n + 1} of {missing.Count}: {run.Key}"));
                try
                {
                    _ = runner.Make(run, run.IsUntrained ? [] : [new ConsoleProgress(terminal, quiet: false)], Say, stop.Token);
                }
                catch (NumericalException e)
                {
                    failures.Add($"{run.Key}: {e.Message}");
                    Say(failures[^1]);
                }
            }
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            // What is done is kept; the same command goes on.
        }

        return failures;
    }
}
