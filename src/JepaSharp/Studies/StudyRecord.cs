using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Studies;

/// <summary>What an encoder is worth by one evaluation.</summary>
/// <param name="Name">The evaluation's name.</param>
/// <param name="Task">Its task.</param>
/// <param name="Metric">accuracy (share, 0 to 1) or r2: the score that counts.</param>
/// <param name="Value">That score, on the test images.</param>
/// <param name="HeldOut">The best on held-out fit images, by which settings were chosen; null where nothing was.</param>
/// <param name="Features">The features that were chosen.</param>
/// <param name="Settings">The settings that were chosen.</param>
/// <param name="Scores">All scores on the test images.</param>
public sealed record StudyScore(
    string Name, string Task, string Metric, double Value, double? HeldOut, string Features, IReadOnlyDictionary<string, double> Settings,
    IReadOnlyDictionary<string, double> Scores);

/// <summary>A finished run of a study, as one small file that counts as done wherever it is copied to.</summary>
public sealed record StudyRecord
{
    private const int NewestFormat = 1;
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Version of the file's layout.</summary>
    public int Format { get; init; } = NewestFormat;

    /// <summary>Name of the variant, or of the untrained baseline.</summary>
    public required string Variant { get; init; }

    /// <summary>Seed of the run.</summary>
    public required int Seed { get; init; }

    /// <summary>SHA-256 of <see cref="Configuration"/>.</summary>
    public required string Digest { get; init; }

    /// <summary>Everything that decides the numbers, by name: keys, seed, budget, evaluations. Paths, loading and logging do not count.</summary>
    public required IReadOnlyDictionary<string, string> Configuration { get; init; }

    /// <summary>What tells the images from others, by what they are for.</summary>
    public required IReadOnlyDictionary<string, string> Images { get; init; }

    /// <summary>Steps taken.</summary>
    public required long Steps { get; init; }

    /// <summary>Images seen.</summary>
    public required long ImagesSeen { get; init; }

    /// <summary>Floating-point operations of the steps; null where they are not counted.</summary>
    public required double? Operations { get; init; }

    /// <summary>Seconds of the steps, waits for images included; measures, checkpoints and the evaluation not.</summary>
    public required double Seconds { get; init; }

    /// <summary>The processor's name.</summary>
    public required string Processor { get; init; }

    /// <summary>Cores that the run could use.</summary>
    public required int Cores { get; init; }

    /// <summary>cpu or cuda:N.</summary>
    public required string Device { get; init; }

    /// <summary>Precision of the training: fp32 or bf16.</summary>
    public required string Precision { get; init; }

    /// <summary>Version of JepaSharp.</summary>
    public required string Program { get; init; }

    /// <summary>When it was finished.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>How the run was laid out, where that was measured, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What the encoder is worth, in the study's order.</summary>
    public required IReadOnlyList<StudyScore> Scores { get; init; }

    /// <summary>The score that counts of an evaluation.</summary>
    internal double ScoreOf(string evaluation) => Scores.Single(s => s.Name == evaluation).Value;

    /// <summary>Reads a record.</summary>
    /// <exception cref="JepaException">It cannot be read, or is none.</exception>
    internal static StudyRecord Read(string path)
    {
        try
        {
            var record = JsonSerializer.Deserialize<StudyRecord>(File.ReadAllText(path), Json);
            if (record is null) throw Bad(path, "it is empty", null);
            if (record.Format > NewestFormat) throw Bad(path, $"its layout {record.Format} is of a newer version of the program", null);
            if (record.Digest != DigestOf(record.Configuration)) throw Bad(path, "its digest is not that of its configuration: it was changed", null);
            return record;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or NotSupportedException)
        {
            throw Bad(path, e.Message.Split('\n')[0].TrimEnd('.', '\r'), e);
        }
    }

    /// <summary>Writes it whole or not at all.</summary>
    /// <exception cref="JepaException">It cannot be written.</exception>
    internal void Write(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableFile.Write(path, stream => JsonSerializer.Serialize(stream, this, Json));
    }

    /// <summary>SHA-256 over names and values, in the order of names.</summary>
    internal static string DigestOf(IReadOnlyDictionary<string, string> configuration)
    {
        var text = string.Concat(configuration.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}: {p.Value}\n"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    private static JepaException Bad(string path, string why, Exception? inner) => new(
        $"The record {path} cannot be read: {why}. Remove it, and its run is evaluated again; what was trained is kept.", isUsage: true, inner);
}
