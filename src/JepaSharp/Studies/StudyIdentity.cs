using JepaSharp.Configuration;
using JepaSharp.Configuration.Schema;

namespace JepaSharp.Studies;

/// <summary>What decides the numbers of a run, by name, so that a run of another configuration is told and what differs can be said.</summary>
internal static class StudyIdentity
{
    /// <summary>Keys that say where and how, not what.</summary>
    private static readonly string[] Places =
    [
        "data.path", "data.root_path", "data.image_folder", "data.test_path", "data.num_workers", "data.prefetch", "data.memory_mb", "data.pin_mem",
        "meta.device", "meta.load_checkpoint", "meta.read_checkpoint", "meta.copy_data",
    ];

    /// <summary>Keys that a run is laid out by.</summary>
    private static readonly string[] Layout =
        ["optimization.epochs", "optimization.max_steps", "optimization.schedule_steps", "optimization.warmup"];

    /// <summary>What decides a run's record.</summary>
    public static SortedDictionary<string, string> Of(StudyPlan plan, PlannedRun run)
    {
        var options = run.Variant.Options;
        var found = new SortedDictionary<string, string>(
            KeysOf(options with { Meta = options.Meta with { Seed = run.Seed } }).ToDictionary(), StringComparer.Ordinal)
        {
            ["study.budget"] = run.IsUntrained ? "none" : plan.Study.Budget.ToString(),
        };
        // A baseline is one of all variants of its shape.
        if (run.IsUntrained)
            foreach (var key in found.Keys.Where(k => !DecidesTheEncoder(k)).ToList()) found.Remove(key);
        foreach (var asked in plan.Study.Evaluations) found[$"evaluate.{asked.Name}"] = asked.Recipe;
        return found;
    }

    /// <summary>What tells the run's images from others.</summary>
    public static SortedDictionary<string, string> ImagesOf(StudyPlan plan, PlannedRun run)
    {
        var images = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (!run.IsUntrained) images["train"] = run.Variant.Images;
        foreach (var (asked, question) in plan.Study.Evaluations.Zip(plan.Questions))
            (images[$"{asked.Name}, to fit on"], images[$"{asked.Name}, test"]) = question.Images;
        return images;
    }

    /// <summary>How a run that was begun differs from the one that is wanted, a clause each; nothing where it does not.</summary>
    /// <param name="begun">Its configuration.</param>
    /// <param name="wanted">The one that is wanted, laid out for its budget.</param>
    /// <param name="isLaidOut">Whether the layout is known beforehand.</param>
    public static IReadOnlyList<string> Differences(PretrainOptions begun, PretrainOptions wanted, bool isLaidOut)
    {
        var (before, after) = (KeysOf(begun).ToDictionary(), KeysOf(wanted).ToDictionary());
        return Differences(before, after, isLaidOut ? [] : Layout);
    }

    /// <summary>
    /// A record's configuration with the keys that came to the program after it was written, which then had what is their default now.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Completed(
        IReadOnlyDictionary<string, string> recorded, IReadOnlyDictionary<string, string> wanted)
    {
        var defaults = KeysOf(new PretrainOptions()).ToDictionary();
        var added = defaults.Where(p => wanted.ContainsKey(p.Key) && !recorded.ContainsKey(p.Key));
        return recorded.Concat(added).ToDictionary();
    }

    /// <summary>The same of two lists of names and values.</summary>
    public static IReadOnlyList<string> Differences(
        IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after, IReadOnlyList<string>? but = null) =>
        [.. before.Keys.Union(after.Keys).Except(but ?? []).Order(StringComparer.Ordinal)
            .Where(key => before.GetValueOrDefault(key) != after.GetValueOrDefault(key))
            .Select(key => $"{key} was {before.GetValueOrDefault(key) ?? "nothing"}, and is {after.GetValueOrDefault(key) ?? "nothing"}")];

    /// <summary>The keys in which options of several variants differ, with each one's value.</summary>
    public static IReadOnlyList<(string Key, IReadOnlyList<string> Values)> Varied(IReadOnlyList<PlannedVariant> variants)
    {
        var all = variants.Select(v => KeysOf(v.Options).ToList()).ToList();
        return [.. Enumerable.Range(0, all.Count == 0 ? 0 : all[0].Count)
            .Select(i => (all[0][i].Key, (IReadOnlyList<string>)[.. all.Select(keys => keys[i].Value)]))
            .Where(k => k.Item2.Distinct().Count() > 1)];
    }

    private static bool DecidesTheEncoder(string key) => key.StartsWith("meta.", StringComparison.Ordinal)
        ? !key.StartsWith("meta.pred", StringComparison.Ordinal) && key is not ("meta.objective" or "meta.use_bfloat16" or "meta.precision")
        : key is "data.crop_size" or "data.mean" or "data.std" or "mask.patch_size";

    private static IEnumerable<KeyValuePair<string, string>> KeysOf(PretrainOptions options) =>
        from section in OptionSection.All
        where section.Name != "logging"
        from key in section.Keys
        where !Places.Contains(key.FullName)
        select KeyValuePair.Create(key.FullName, OptionValue.Write(key.Get(section.Get(options))));
}
