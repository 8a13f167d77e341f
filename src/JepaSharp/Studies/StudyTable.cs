using System.Globalization;
using System.Text;
using System.Text.Json;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Studies;

/// <summary>A mean over seeds.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Deviation">Deviation over seeds, with n - 1; null of one.</param>
public sealed record StudyMean(double Mean, double? Deviation)
{
    /// <summary>Of some values; null of none.</summary>
    internal static StudyMean? Of(IReadOnlyList<double> values)
    {
        if (values.Count == 0) return null;
        var mean = values.Average();
        return new StudyMean(mean, values.Count > 1 ? Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1)) : null);
    }
}

/// <summary>One row: a variant, or encoders that learned nothing.</summary>
/// <param name="Name">The variant's name, or the baseline's.</param>
/// <param name="Runs">Runs that are done, of how many there should be.</param>
/// <param name="Planned">How many there should be.</param>
/// <param name="Scores">Of each evaluation; null where no run is done.</param>
/// <param name="Steps">Steps of a run.</param>
/// <param name="Operations">Floating-point operations of a run; null where they are not counted.</param>
/// <param name="Seconds">Seconds of a run's steps.</param>
public sealed record StudyRow(
    string Name, int Runs, int Planned, IReadOnlyList<StudyMean?> Scores, double Steps, double? Operations, double Seconds);

/// <summary>What a study found so far: the mean over seeds of every variant, and what it cost.</summary>
public sealed class StudyTable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly StudyRunner _runner;

    /// <summary>Of the records that there are.</summary>
    /// <param name="runner">The study in its folder.</param>
    public StudyTable(StudyRunner runner)
    {
        ArgumentNullException.ThrowIfNull(runner);
        _runner = runner;
        Rows = [.. runner.Plan.Rows.Select(RowOf)];
        Evaluations = [.. runner.Plan.Study.Evaluations.Select(e => (e.Name, StudyTasks.IsOfNumbers(e.Task) ? "r2" : "accuracy"))];
    }

    /// <summary>The study in its folder.</summary>
    internal StudyRunner Runner => _runner;

    /// <summary>The rows, the variants first.</summary>
    public IReadOnlyList<StudyRow> Rows { get; }

    /// <summary>Name and score of each evaluation, in the order of <see cref="StudyRow.Scores"/>.</summary>
    public IReadOnlyList<(string Name, string Metric)> Evaluations { get; }

    /// <summary>What a reader has to know, a sentence each.</summary>
    public IReadOnlyList<string> Notes
    {
        get
        {
            var runs = _runner.Plan.Runs.Where(r => !r.IsUntrained);
            var trained = runs.Select(r => _runner.Records.GetValueOrDefault(r.Key)).OfType<StudyRecord>().ToList();
            var notes = new List<string>();
            if (_runner.Missing.Count > 0) notes.Add($"{_runner.Missing.Count} of {_runner.Plan.Runs.Count} runs are not done yet.");
            var places = trained.Select(r => FormattableString.Invariant($"{r.Processor}, {r.Cores} cores, {r.Device}")).Distinct().ToList();
            if (places.Count > 1)
                notes.Add($"Seconds are of {places.Count} machines and do not compare; operations do: {string.Join("; ", places)}.");
            var precisions = trained.Select(r => r.Precision).Distinct().ToList();
            if (precisions.Count > 1) notes.Add($"Runs were trained in several precisions: {string.Join(", ", precisions)}.");
            notes.AddRange(trained.SelectMany(r => r.Notes.Select(n => $"{r.Variant}/{r.Seed}: {n}.")));
            return notes;
        }
    }

    /// <summary>A score as people read it: 62.4 ± 0.3 %, or 0.655 ± 0.010.</summary>
    public static string Text(StudyMean? score, string metric)
    {
        if (score is null) return "-";
        var (factor, format, unit) = metric == "accuracy" ? (100, "0.0", " %") : (1, "0.000", "");
        string Number(double value) => (factor * value).ToString(format, CultureInfo.InvariantCulture);
        return Number(score.Mean) + (score.Deviation is { } deviation ? " ± " + Number(deviation) : "") + unit;
    }

    /// <summary>As Markdown.</summary>
    public string ToMarkdown()
    {
        var study = _runner.Plan.Study;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {study.Name}\n\n{study.Budget} a run; mean and deviation over {study.Seeds.Count} seeds ");
        text.Append(CultureInfo.InvariantCulture, $"({string.Join(", ", study.Seeds)}); scores on {study.ScoredOn}.\n\n");
        text.Append($"| variant | runs |{string.Concat(Evaluations.Select(e => $" {e.Name}, {e.Metric} |"))} steps | operations | minutes |\n");
        text.Append($"|---|---:|{string.Concat(Evaluations.Select(_ => "---:|"))}---:|---:|---:|\n");
        foreach (var row in Rows)
        {
            var scores = string.Concat(row.Scores.Select((s, i) => $" {Text(s, Evaluations[i].Metric)} |"));
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {row.Name} | {RunsText(row)} |{scores} {row.Steps:n0} | {OperationsText(row)} | {row.Seconds / 60:F2} |\n");
        }

        if (Notes.Count > 0) text.Append('\n');
        foreach (var note in Notes) text.Append($"- {note}\n");
        return text.ToString();
    }

    /// <summary>As CSV: a row a variant, numbers as they are.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder();
        var heads = Evaluations.SelectMany(e => new[] { $"{e.Name} {e.Metric}", $"{e.Name} deviation" });
        text.Append($"variant,runs,planned,{string.Concat(heads.Select(h => Quoted(h) + ","))}steps,operations,seconds\n");
        foreach (var row in Rows)
        {
            var scores = string.Concat(row.Scores.Select(s => FormattableString.Invariant($"{s?.Mean:R},{s?.Deviation:R},")));
            text.Append(
                CultureInfo.InvariantCulture, $"{row.Name},{row.Runs},{row.Planned},{scores}{row.Steps:R},{row.Operations:R},{row.Seconds:R}\n");
        }

        return text.ToString();
    }

    /// <summary>As JSON: the rows, and every record whole.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Study = _runner.Plan.Study.Name,
            Budget = _runner.Plan.Study.Budget.ToString(),
            _runner.Plan.Study.Seeds,
            Variants = _runner.Plan.Study.Variants,
            Evaluations = Evaluations.Select(e => new { e.Name, e.Metric }),
            Rows,
            Notes,
            Runs = _runner.Plan.Runs.Select(r => _runner.Records.GetValueOrDefault(r.Key)).OfType<StudyRecord>(),
        }, Json) + "\n";

    /// <summary>Writes <c>table.md</c>, <c>table.csv</c>, <c>table.json</c> and <c>study.html</c> into the study's folder.</summary>
    /// <returns>Path of the page.</returns>
    /// <exception cref="JepaException">One cannot be written.</exception>
    public string Write()
    {
        Directory.CreateDirectory(_runner.Folder);
        var page = Path.Combine(_runner.Folder, "study.html");
        foreach (var (path, content) in new[]
        {
            (Path.Combine(_runner.Folder, "table.md"), ToMarkdown()), (Path.Combine(_runner.Folder, "table.csv"), ToCsv()),
            (Path.Combine(_runner.Folder, "table.json"), ToJson()), (page, StudyPage.Of(_runner, this)),
        })
            DurableFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(content)));
        return page;
    }

    /// <summary>Runs that are done, of how many.</summary>
    internal static string RunsText(StudyRow row) =>
        row.Runs == row.Planned ? FormattableString.Invariant($"{row.Runs}") : FormattableString.Invariant($"{row.Runs} of {row.Planned}");

    /// <summary>Operations as people read them.</summary>
    internal static string OperationsText(StudyRow row) => row.Operations is { } o ? Reports.HtmlText.Operations(o) : "not counted";

    private StudyRow RowOf(string name)
    {
        var planned = _runner.Plan.Runs.Where(r => r.Row == name).ToList();
        var done = planned.Select(r => _runner.Records.GetValueOrDefault(r.Key)).OfType<StudyRecord>().ToList();
        double Mean(Func<StudyRecord, double> of) => done.Count == 0 ? 0 : done.Average(of);
        return new StudyRow(
            name, done.Count, planned.Count,
            [.. _runner.Plan.Study.Evaluations.Select(e => StudyMean.Of([.. done.Select(r => r.ScoreOf(e.Name))]))],
            Mean(r => r.Steps), done.TrueForAll(r => r.Operations is not null) ? Mean(r => r.Operations!.Value) : null, Mean(r => r.Seconds));
    }

    private static string Quoted(string cell) =>
        cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
