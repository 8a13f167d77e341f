using JepaSharp.Configuration;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Studies;

/// <summary>A variant with its configuration and what its steps cost.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Options">The configuration, whole paths and all, before it is laid out for the budget; the seed counts for nothing.</param>
/// <param name="StepsPerEpoch">Steps in an epoch.</param>
/// <param name="ImagesPerStep">Images in a step.</param>
/// <param name="OperationsPerStep">Floating-point operations of a step, on average over several; null where they are not counted.</param>
/// <param name="Steps">Steps that the budget pays for; null for minutes, which are measured first.</param>
public sealed record PlannedVariant(
    string Name, PretrainOptions Options, int StepsPerEpoch, int ImagesPerStep, double? OperationsPerStep, long? Steps)
{
    /// <summary>What tells the images from others.</summary>
    internal string Images { get; init; } = "";
}

/// <summary>A run of a study: a variant with a seed, or an encoder of its shape that learns nothing.</summary>
/// <param name="Row">The row of tables that it belongs to: the variant's name, or the baseline's.</param>
/// <param name="Variant">The variant.</param>
/// <param name="Seed">The seed.</param>
/// <param name="IsUntrained">Whether nothing is trained.</param>
public sealed record PlannedRun(string Row, PlannedVariant Variant, int Seed, bool IsUntrained)
{
    /// <summary>What it is called: ROW/SEED.</summary>
    public string Key => FormattableString.Invariant($"{Row}/{Seed}");
}

/// <summary>A study with everything opened and checked, so that whatever can be known to go wrong is known before anything runs.</summary>
public sealed class StudyPlan : IDisposable
{
    private StudyPlan(Study study, IReadOnlyList<PlannedVariant> variants, IReadOnlyList<StudyQuestion> questions) =>
        (Study, Variants, Questions, Runs) = (study, variants, questions, RunsOf(study, variants));

    /// <summary>What was asked for.</summary>
    public Study Study { get; }

    /// <summary>The variants, in the study's order.</summary>
    public IReadOnlyList<PlannedVariant> Variants { get; }

    /// <summary>Every run: all of a seed before the next, so that a table of all variants is there early; the baselines first.</summary>
    public IReadOnlyList<PlannedRun> Runs { get; }

    /// <summary>Rows of tables: the variants, then the baselines.</summary>
    public IReadOnlyList<string> Rows => [.. Variants.Select(v => v.Name), .. Runs.Where(r => r.IsUntrained).Select(r => r.Row).Distinct()];

    /// <summary>The evaluations with their images.</summary>
    internal IReadOnlyList<StudyQuestion> Questions { get; }

    /// <summary>Opens and checks.</summary>
    /// <param name="study">The study.</param>
    /// <param name="dataFolder">Where relative addresses of images begin; null for the study's own folder or the current one.</param>
    /// <param name="device">auto, cpu, cuda or cuda:N, in place of the configuration's; null for that.</param>
    /// <exception cref="StudyException">Lists everything that cannot be.</exception>
    public static StudyPlan Of(Study study, string? dataFolder = null, string? device = null)
    {
        ArgumentNullException.ThrowIfNull(study);
        var problems = new List<string>();
        if (dataFolder is not null && !Directory.Exists(dataFolder)) problems.Add($"--data {dataFolder}: there is no such folder");
        var addresses = new StudyAddresses(Path.GetDirectoryName(study.Path)!, dataFolder);
        var variants = new VariantReader(study, addresses, device, problems).Read();
        var questions = new List<StudyQuestion>();
        foreach (var asked in study.Evaluations)
        {
            try
            {
                questions.Add(StudyQuestion.Open(asked, addresses));
            }
            catch (JepaException e)
            {
                problems.Add($"evaluate, {asked.Name}: {e.Message}");
            }
        }

        if (problems.Count == 0) return new StudyPlan(study, variants, questions);
        foreach (var question in questions) question.Dispose();
        throw new StudyException(problems);
    }

    /// <summary>A run by its name: ROW/SEED.</summary>
    /// <exception cref="JepaException">There is none.</exception>
    public PlannedRun Find(string key) => Runs.FirstOrDefault(r => r.Key == key) ?? throw new JepaException(
        $"The study has no run {key}. Expected VARIANT/SEED, one of {string.Join(", ", Runs.Take(12).Select(r => r.Key))}"
            + $"{(Runs.Count > 12 ? ", ..." : "")}.", isUsage: true);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var question in Questions) question.Dispose();
    }

    /// <summary>An untrained encoder is a baseline of all variants that have its shape, size of images and normalisation.</summary>
    private static List<PlannedRun> RunsOf(Study study, IReadOnlyList<PlannedVariant> variants)
    {
        var shapes = variants.GroupBy(v => (new PretrainPlan(v.Options).Encoder, v.Options.Data.CropSize, v.Options.Data.Mean, v.Options.Data.Std))
            .Select(g => g.First()).ToList();
        string Baseline(PlannedVariant v) => shapes.Count == 1 ? Study.Untrained : $"{Study.Untrained}-{v.Name}";
        return
        [
            .. study.Seeds.SelectMany(seed => shapes.Select(v => new PlannedRun(Baseline(v), v, seed, IsUntrained: true))),
            .. study.Seeds.SelectMany(seed => variants.Select(v => new PlannedRun(v.Name, v, seed, IsUntrained: false))),
        ];
    }
}
