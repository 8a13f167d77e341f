using JepaSharp.Runtime;

namespace JepaSharp.Studies;

/// <summary>Runs to compare at equal cost: a configuration, variants of it, seeds, one budget for all, and what is asked of each encoder.</summary>
public sealed record Study
{
    /// <summary>Name of the row of encoders that learned nothing, which no variant may have.</summary>
    public const string Untrained = "untrained";

    /// <summary>Full path of the study's file.</summary>
    public required string Path { get; init; }

    /// <summary>Path of the configuration that all variants begin from.</summary>
    public required string Base { get; init; }

    /// <summary>Images to train on, as the file says; null for those of the configuration.</summary>
    public string? Data { get; init; }

    /// <summary>Seeds, each a run of every variant; 0 or more, none twice.</summary>
    public required IReadOnlyList<int> Seeds { get; init; }

    /// <summary>What a run may cost.</summary>
    public required StudyBudget Budget { get; init; }

    /// <summary>What is compared, in the order of the file.</summary>
    public required IReadOnlyList<StudyVariant> Variants { get; init; }

    /// <summary>What is asked of every encoder, in the order of the file.</summary>
    public required IReadOnlyList<StudyEvaluation> Evaluations { get; init; }

    /// <summary>What the scores are of, for people.</summary>
    public string ScoredOn => Evaluations.All(e => e.Test is not null) ? "test images"
        : Evaluations.All(e => e.Test is null) ? "images held out from those to fit on; test images were not touched"
        : "test images, and images held out from those to fit on where no test images are named";

    /// <summary>The file's name without its ending.</summary>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>Reads a study.</summary>
    /// <param name="path">A YAML file (docs/studies.md).</param>
    /// <exception cref="StudyException">Something is written wrongly; lists everything that is.</exception>
    /// <exception cref="JepaException">The file cannot be read.</exception>
    public static Study Read(string path) => StudyReader.Read(path);
}

/// <summary>One thing to compare.</summary>
/// <param name="Name">Letters, digits, dots, dashes and underscores: files are called after it.</param>
/// <param name="Settings">Configuration keys that it changes, each <c>section.key=value</c>; none for the configuration as it is.</param>
public sealed record StudyVariant(string Name, IReadOnlyList<string> Settings);

/// <summary>In what a budget is counted.</summary>
public enum BudgetUnit
{
    /// <summary>Steps of the optimizer.</summary>
    Steps,

    /// <summary>Images seen, each as often as it is.</summary>
    Images,

    /// <summary>Floating-point operations: <see cref="Objectives.StepOperations"/>.</summary>
    Operations,

    /// <summary>Minutes of the steps on this machine, waits for images included.</summary>
    Minutes,
}

/// <summary>What a run may cost: the same for all.</summary>
/// <param name="Unit">In what it is counted.</param>
/// <param name="Amount">How much, above 0.</param>
public sealed record StudyBudget(BudgetUnit Unit, double Amount)
{
    /// <summary>Such as "12 minutes".</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Amount:#,0.###############} {Unit.ToString().ToLowerInvariant()}");
}

/// <summary>A question that is asked of every encoder.</summary>
public sealed record StudyEvaluation
{
    /// <summary>Its name in tables; unique. The task's if nothing is said.</summary>
    public required string Name { get; init; }

    /// <summary>One of <see cref="StudyTasks.Names"/>.</summary>
    public required string Task { get; init; }

    /// <summary>Images to fit on, as the file says.</summary>
    public required string Data { get; init; }

    /// <summary>Images to score on, as the file says; null for a fifth of <see cref="Data"/>, held out by name.</summary>
    public string? Test { get; init; }

    /// <summary>last, last4, or both: the better on held-out fit data. Null for the task's own.</summary>
    public string? Features { get; init; }

    /// <summary>Column of numbers to predict, for count and distance; null for the one of that name.</summary>
    public string? Column { get; init; }

    /// <summary>Neighbours that vote, for knn.</summary>
    public int? Neighbours { get; init; }

    /// <summary>Passes over the features, for linear.</summary>
    public int? Epochs { get; init; }

    /// <summary>Images of every class, for low-shot.</summary>
    public int? PerClass { get; init; }

    /// <summary>Subsets to draw, for low-shot.</summary>
    public int? Draws { get; init; }

    /// <summary>Fit on so many images, always the same ones; null for all.</summary>
    public int? MaxFit { get; init; }

    /// <summary>Score on so many images, always the same ones; null for all.</summary>
    public int? MaxTest { get; init; }

    /// <summary>Everything but the images, as a text: equal texts ask the same.</summary>
    internal string Recipe => FormattableString.Invariant(
        $"{Task} features={Features} column={Column} k={Neighbours} epochs={Epochs} per_class={PerClass} draws={Draws} {MaxFit}/{MaxTest}");
}

/// <summary>A study cannot be made as it is asked for. The message lists every problem, one a line.</summary>
/// <param name="problems">At least one.</param>
public sealed class StudyException(IReadOnlyList<string> problems) : JepaException(Describe(problems), isUsage: true)
{
    /// <summary>Every problem: what was found and what to do.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;

    private static string Describe(IReadOnlyList<string> problems) =>
        $"The study has {(problems.Count == 1 ? "a problem" : $"{problems.Count} problems")}:\n"
        + string.Join('\n', problems.Select(problem => $"  {problem.ReplaceLineEndings(" ")}"));
}
