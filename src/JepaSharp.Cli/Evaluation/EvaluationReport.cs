using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using JepaSharp.Cli.Display;
using JepaSharp.Evaluation.Features;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Evaluation;

/// <summary>What came of an evaluation: a table for people, and JSON with everything needed to repeat it.</summary>
internal sealed class EvaluationReport(string task, EvaluationSession session, object recipe, IReadOnlyList<string> notes)
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly List<ResultRow> _rows = [];
    private IReadOnlyList<string>? _classes;

    /// <summary>Says what will be done.</summary>
    public static void Announce(string task, EvaluationSession session, Terminal terminal)
    {
        foreach (var note in session.Images.Notes) terminal.Error.WriteLine("chosen: " + note);
        terminal.Error.WriteLine(
            $"{task}: {session.Loaded.Name} encoder of {session.Loaded.Path}, {session.Transform.Size}x{session.Transform.Size} pixels, "
                + $"{session.Device.type}, {session.Precision.Computation.Words}");
        terminal.Error.WriteLine(
            $"to fit on: {Quantity.Of(session.Images.Fit.Count, "image")} of {session.Images.Fit.Origin.Description}; to score on: "
                + $"{session.Images.Test.Count:n0} of {session.Images.Test.Origin.Description}");
    }

    public void Add(IReadOnlyList<ResultRow> rows) => _rows.AddRange(rows);

    public void AddClasses(IReadOnlyList<string> names) => _classes = names;

    /// <summary>Prints the table and the notes, and writes the file.</summary>
    public void Finish(Terminal terminal)
    {
        foreach (var note in notes.Concat(session.Notes)) terminal.Error.WriteLine("note: " + note);
        foreach (var table in ResultTables.Of(_rows)) table.Print(terminal);
        foreach (var said in RawPixelRival.Said(_rows)) terminal.Error.WriteLine(said + ".");
        if (session.Request.Out is not { } path) return;
        WholeFile.WriteText(path, JsonSerializer.Serialize(Document(), Readable) + "\n");
        terminal.Error.WriteLine($"everything needed to repeat this: {path}");
    }

    private object Document() => new
    {
        Jepa = typeof(EvaluationReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
        Task = task,
        Weights = new
        {
            session.Loaded.Path,
            Encoder = session.Loaded.Name,
            Sha256 = session.WeightsHash,
            Architecture = session.Loaded.Encoder.Shape,
            session.Loaded.Normalization,
        },
        Fit = Images(session.Images.FitAddress, session.Images.Fit, EvaluationSession.FitSet),
        Test = Images(session.Images.TestAddress, session.Images.Test, EvaluationSession.TestSet),
        Classes = _classes,
        Transform = session.Transform.ToString(),
        session.Request.Features,
        session.Pooling,
        Device = session.Device.ToString(),
        Precision = session.Precision.Name,
        Computation = session.Precision.Computation.Words,
        session.Request.Batch,
        session.Request.Seed,
        session.Request.MaxFit,
        session.Request.MaxTest,
        Recipe = recipe,
        Results = _rows,
        Notes = notes.Concat(session.Notes).Concat(session.LeftOut.Select(l => l.Sentence)).Concat(RawPixelRival.Said(_rows)).ToList(),
        FeatureSeconds = Math.Round(session.FeatureTime.TotalSeconds, 3),
        Finished = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
    };

    /// <summary>A set, with how many of its images could not be read and so took no part.</summary>
    private object Images(string address, Data.Sources.ImageSource source, string set)
    {
        var leftOut = session.LeftOut.Where(l => l.Set == set).MaxBy(l => l.Unreadable);
        return new
        {
            Address = address,
            source.Description,
            Images = source.Count,
            Unreadable = leftOut?.Unreadable ?? 0,
            UnreadableExample = leftOut?.Example,
            Sha256 = DataFingerprint.Of(address, source),
        };
    }
}
