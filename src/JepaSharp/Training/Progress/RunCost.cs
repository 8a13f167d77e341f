namespace JepaSharp.Training.Progress;

/// <summary>What the steps of a run took, over all processes of it: each step once, however often a stop made it be taken again.</summary>
/// <param name="Steps">Steps done.</param>
/// <param name="Images">Images that they saw together.</param>
/// <param name="Time">Their time, the waits for images included; measures, monitors and checkpoints not.</param>
/// <param name="Operations">Their floating-point operations (<see cref="Objectives.StepOperations"/>), a step that was skipped taken for an average
/// one; null where none are counted.</param>
public sealed record RunCost(long Steps, long Images, TimeSpan Time, double? Operations)
{
    /// <summary>Adds up the rows of <c>metrics.csv</c>.</summary>
    public static RunCost Of(IEnumerable<StepRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        long steps = 0, images = 0, counted = 0, ticks = 0;
        var operations = 0.0;
        foreach (var row in rows)
        {
            steps++;
            images += row.Images;
            ticks += (row.StepTime + row.DataWait).Ticks;
            if (row.Operations is not { } known) continue;
            counted++;
            operations += known;
        }

        return new RunCost(steps, images, TimeSpan.FromTicks(ticks), counted > 0 ? operations * steps / counted : null);
    }
}
