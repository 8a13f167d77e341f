using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Studies;

/// <summary>Makes configurations of a study's variants, and gathers what is wrong with them.</summary>
internal sealed class VariantReader(Study study, StudyAddresses addresses, string? device, List<string> problems)
{
    private const int BatchesCounted = 16;

    /// <summary>Keys that the study itself decides.</summary>
    private static readonly string[] Decided =
    [
        "data.path", "data.root_path", "data.image_folder", "data.test_path", "meta.seed", "meta.device", "optimization.epochs",
        "optimization.max_steps", "optimization.schedule_steps",
    ];

    private readonly Dictionary<string, string> _images = [];

    public List<PlannedVariant> Read()
    {
        PretrainOptions options;
        try
        {
            List<string> settings = ["data.test_path=null", "logging.folder=null"];
            if (study.Data is { } data) settings.Add($"data.path={Quoted(addresses.Of(data))}");
            if (device is not null) settings.Add($"meta.device={device}");
            options = RunPaths.Whole(PretrainOptions.Load(study.Base, settings));
        }
        catch (JepaException e)
        {
            problems.AddRange(LinesOf(e).Select(line => $"base: {line}"));
            return [];
        }

        options = options with { Logging = options.Logging with { EvaluateEvery = null, KeepEvery = null, KeepLast = 1 } };
        var variants = study.Variants.Select(v => Of(v, options)).OfType<PlannedVariant>().ToList();
        foreach (var same in variants.GroupBy(v => v.Options.ToYaml()).Where(g => g.Count() > 1))
            problems.Add($"variants: {string.Join(" and ", same.Select(v => v.Name))} are the same configuration; leave all but one out, or change "
                + "what was meant to differ");
        return variants;
    }

    private PlannedVariant? Of(StudyVariant variant, PretrainOptions begin)
    {
        var decided = variant.Settings.Select(s => s.Split('=')[0].Trim()).Where(
            k => Decided.Contains(k) || k.StartsWith("logging.", StringComparison.Ordinal)).ToList();
        foreach (var key in decided) problems.Add($"variants.{variant.Name}: {key} is decided by the study, the same for all; leave it out");
        if (decided.Count > 0) return null;
        try
        {
            var options = begin.Apply(variant.Settings);
            options.Validate();
            return Counted(variant.Name, options);
        }
        catch (JepaException e)
        {
            problems.AddRange(LinesOf(e).Select(line => $"variants.{variant.Name}: {line}"));
            return null;
        }
    }

    private PlannedVariant? Counted(string name, PretrainOptions options)
    {
        DecodingBound.Megabytes = options.Data.MemoryMb;
        using var source = options.Data.OpenSource();
        var plan = new PretrainPlan(options);
        using var objective = KnownObjectives.Create(plan, META);
        var (batch, accumulate) = (options.Data.BatchSize, options.Optimization.Accumulate);
        var stepsPerEpoch = plan.StepsPerEpoch(new ImageLoader(source, plan.Loading(objective.Views)).BatchesPerEpoch);
        if (stepsPerEpoch == 0)
        {
            problems.Add($"variants.{name}: {source.Count:n0} images are fewer than one step of {batch:n0} times {accumulate:n0}; make "
                + "data.batch_size or optimization.accumulate smaller");
            return null;
        }

        int[] indices = [.. Enumerable.Range(0, batch)];
        var counts = Enumerable.Range(0, BatchesCounted).Select(m => objective.Operations(indices, Step.Untracked(plan.Seed, m))?.Total).ToList();
        double? operations = counts.Contains(null) ? null : counts.Average() * accumulate;
        var steps = StudySchedule.Steps(study.Budget, batch * accumulate, operations);
        if (study.Budget.Unit == BudgetUnit.Operations && operations is null)
            problems.Add($"variants.{name}: the operations of {options.Meta.Objective} are not counted; give the budget in steps, images or minutes");
        else if (steps == 0)
            problems.Add(FormattableString.Invariant(
                $"variants.{name}: the budget of {study.Budget} does not pay for one step, which is {batch * accumulate:n0} images and ")
                + FormattableString.Invariant($"{operations:0.00e0} operations; give more, or make the step smaller"));
        else if (steps > int.MaxValue)
            problems.Add(FormattableString.Invariant($"variants.{name}: {study.Budget} are {steps:n0} steps; expected at most {int.MaxValue:n0}"));
        return new PlannedVariant(name, options, stepsPerEpoch, batch * accumulate, operations, steps) { Images = ImagesOf(options, source) };
    }

    private string ImagesOf(PretrainOptions options, ImageSource source)
    {
        var data = options.Data;
        var key = FormattableString.Invariant($"{data.ResolveSource()} {data.MaxImages} {data.SceneCount} {data.SceneSize} {data.SceneSeed}");
        return _images.TryGetValue(key, out var known) ? known : _images[key] = StudyQuestion.ImagesOf(source);
    }

    private static IEnumerable<string> LinesOf(JepaException e) => e is ConfigurationException { Problems: var all }
        ? all.Select(p => p.ToString().Replace("--set: ", "", StringComparison.Ordinal))
        : [e.Message];

    private static string Quoted(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}
