using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Runs;

/// <summary>What <c>config.yaml</c> cannot say of a fine-tuning run, kept beside it as <c>fine-tuning.json</c>.</summary>
/// <param name="Recipe">The whole recipe.</param>
/// <param name="Size">H = W of the crops in pixels.</param>
/// <param name="Classes">K.</param>
/// <param name="Labels">SHA-256 of the images' classes, in order.</param>
internal sealed record FineTuningFacts(FineTuneOptions Recipe, int Size, int Classes, string Labels)
{
    public const string FileName = "fine-tuning.json";

    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static FineTuningFacts Of(FineTuningRequest request)
    {
        var bytes = new byte[request.Fit.Labels.Length * sizeof(int)];
        for (var i = 0; i < request.Fit.Labels.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * sizeof(int)), request.Fit.Labels[i]);
        return new FineTuningFacts(request.Recipe, request.Size, request.Fit.Classes, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    public void Write(string folder) => DurableFile.Write(Path.Combine(folder, FileName), stream => JsonSerializer.Serialize(stream, this, Format));

    /// <summary>Does nothing where the run in a folder was begun with the same. One without the file has taken no step yet.</summary>
    /// <exception cref="JepaException">Names what differs; or the file cannot be read.</exception>
    public void RequireSame(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            Write(folder);
            return;
        }

        JsonNode? begun;
        try
        {
            begun = JsonNode.Parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new JepaException($"{path} cannot be read, so whether the run is this one is not known: {e.Message}", isUsage: true, inner: e);
        }

        string[] differ = [.. Differences(begun, JsonSerializer.SerializeToNode(this, Format), "")];
        if (differ.Length > 0)
            throw new JepaException(
                $"The run in {folder} was begun otherwise: {string.Join("; ", differ)}. Go on with what it was begun with, or give another folder.",
                isUsage: true);
    }

    private static IEnumerable<string> Differences(JsonNode? begun, JsonNode? now, string name)
    {
        if (JsonNode.DeepEquals(begun, now)) return [];
        if (begun is not JsonObject a || now is not JsonObject b)
            return [$"{name} was {begun?.ToJsonString() ?? "null"}, now {now?.ToJsonString() ?? "null"}"];
        return a.Select(p => p.Key).Union(b.Select(p => p.Key)).SelectMany(
            key => Differences(a[key], b[key], name.Length == 0 ? key : $"{name}.{key}"));
    }
}
