using JepaSharp.Configuration.Yaml;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Runtime;

namespace JepaSharp.Studies;

/// <summary>The tasks that a study can ask of its encoders: those of <c>jepa evaluate</c> on frozen features.</summary>
public static class StudyTasks
{
    private const int LowShotDraws = 5;
    private static readonly string[] Common = ["task", "data", "test", "name", "features", "max_fit", "max_test"];
    private static readonly string[] FeatureNames = ["last", "last4", "both"];

    private static readonly (string Name, string Features, string[] Keys)[] All =
    [
        ("knn", "last", ["k"]),
        ("linear", "both", ["epochs"]),
        ("logistic", "last", []),
        ("ridge", "last", []),
        ("low-shot", "last", ["per_class", "draws"]),
        ("count", "both", ["column"]),
        ("distance", "both", ["column"]),
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(t => t.Name)];

    /// <summary>Whether a task predicts a number, whose R2 counts, rather than a class, whose accuracy counts.</summary>
    internal static bool IsOfNumbers(string task) => task is "count" or "distance";

    /// <summary>What a task takes of an encoder where nothing is said.</summary>
    internal static string FeaturesOf(StudyEvaluation evaluation) => evaluation.Features ?? All.First(t => t.Name == evaluation.Task).Features;

    /// <summary>The probe of a task on classes; of low-shot, the one that is fitted on each subset.</summary>
    internal static ProbeTask ProbeOf(StudyEvaluation evaluation) => evaluation.Task switch
    {
        "knn" => new KnnTask(new KnnOptions { Neighbours = evaluation.Neighbours ?? new KnnOptions().Neighbours }, []),
        "linear" => LinearModelTask.Linear(new LinearOptions { Epochs = evaluation.Epochs ?? new LinearOptions().Epochs }),
        "ridge" => LinearModelTask.Ridge(new RidgeOptions()),
        // Where a class has one image, nothing can be held out to choose by.
        "low-shot" when evaluation.PerClass == 1 => LinearModelTask.Logistic(new LogisticOptions { Penalties = [1e-2] }),
        _ => LinearModelTask.Logistic(new LogisticOptions()),
    };

    /// <summary>How many subsets low-shot draws.</summary>
    internal static int DrawsOf(StudyEvaluation evaluation) => evaluation.Draws ?? LowShotDraws;

    /// <summary>Reads an entry of <c>evaluate</c>; null where it says too little.</summary>
    internal static StudyEvaluation? Read(StudyNodes nodes, string name, YamlNode node)
    {
        string[] every = [.. Common, .. All.SelectMany(t => t.Keys).Distinct()];
        if (nodes.Fields(name, node, every) is not { } fields) return null;
        var prefix = name + ".";
        var task = nodes.Text("task", fields, isRequired: true, prefix);
        var known = Array.Find(All, t => t.Name == task);
        if (task is not null && known.Name is null)
            nodes.Add(prefix + "task", task, NearestName.Of(task, Names) is { } near ? $"{near}, perhaps" : $"one of {string.Join(", ", Names)}",
                fields["task"].Line);
        if (known.Name is not null)
            foreach (var key in fields.Keys.Where(k => !Common.Contains(k) && !known.Keys.Contains(k)))
                nodes.Add(prefix + key, $"a key that means nothing for {task}", "it left out", fields[key].Line);
        var features = nodes.Text("features", fields, prefix: prefix);
        if (features is not null && !FeatureNames.Contains(features))
            nodes.Add(prefix + "features", features, $"one of {string.Join(", ", FeatureNames)}", fields["features"].Line);
        var data = nodes.Text("data", fields, isRequired: true, prefix);
        var perClass = nodes.Whole("per_class", fields, 1, prefix);
        if (task == "low-shot" && !fields.ContainsKey("per_class"))
            nodes.Add(prefix + "per_class", "nothing", "how many images of every class to fit on", node.Line);
        return task is null || data is null ? null : new StudyEvaluation
        {
            Name = nodes.Text("name", fields, prefix: prefix) ?? task,
            Task = task,
            Data = data,
            Test = nodes.Text("test", fields, prefix: prefix),
            Features = features,
            Column = nodes.Text("column", fields, prefix: prefix),
            Neighbours = nodes.Whole("k", fields, 1, prefix),
            Epochs = nodes.Whole("epochs", fields, 1, prefix),
            PerClass = perClass,
            Draws = nodes.Whole("draws", fields, 1, prefix),
            MaxFit = nodes.Whole("max_fit", fields, 2, prefix),
            MaxTest = nodes.Whole("max_test", fields, 1, prefix),
        };
    }
}
