using System.Text.Json;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Evaluation.Embeddings;

/// <summary>How far an unfinished job has come: a small file beside the unfinished output.</summary>
/// <param name="Parameters">Everything that the numbers depend on.</param>
/// <param name="NextImage">Index of the first image not yet looked at.</param>
/// <param name="Rows">Images written.</param>
/// <param name="Bytes">Length of the unfinished output up to here.</param>
/// <param name="IndexBytes">Length of the unfinished side file up to here; 0 without one.</param>
internal sealed record EmbeddingState(Dictionary<string, string> Parameters, int NextImage, long Rows, long Bytes, long IndexBytes)
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    /// <summary>Writes the state so that it is whole whatever happens.</summary>
    public void Write(string path) => DurableFile.Write(path, stream => JsonSerializer.Serialize(stream, this, Readable));

    /// <summary>The state of an earlier job; null if there is none.</summary>
    /// <exception cref="JepaException">It is damaged, or of a job that asked for something else.</exception>
    public static EmbeddingState? Read(EmbeddingPaths paths, Dictionary<string, string> parameters)
    {
        if (!File.Exists(paths.State)) return null;
        var state = Parse(paths);
        var different = parameters.Keys.Union(state.Parameters.Keys)
            .Where(key => key != EmbeddingRequest.ImageFiles || state.Parameters.ContainsKey(key)) // an earlier version did not note it
            .Where(key => parameters.GetValueOrDefault(key) != state.Parameters.GetValueOrDefault(key))
            .Select(key => $"{key} was {Value(state.Parameters, key)} and is now {Value(parameters, key)}"
                + (key == EmbeddingRequest.ImageFiles ? " (a file was replaced, or has another time)" : "")).ToList();
        if (different.Count > 0)
            throw new JepaException(
                $"{paths.Output} was begun by a job that asked for something else: {string.Join("; ", different)}. "
                + $"Ask for the same to go on with it, give another --out, or delete {paths.Partial} and {paths.State} to begin anew.",
                isUsage: true);
        var there = File.Exists(paths.Partial) && new FileInfo(paths.Partial).Length >= state.Bytes
            && (state.IndexBytes == 0 || (File.Exists(paths.PartialIndex) && new FileInfo(paths.PartialIndex).Length >= state.IndexBytes));
        return there ? state : throw Damaged(paths, "what it speaks of is missing or too short");
    }

    private static string Value(Dictionary<string, string> parameters, string key) => parameters.GetValueOrDefault(key) ?? "not given";

    private static EmbeddingState Parse(EmbeddingPaths paths)
    {
        try
        {
            var state = JsonSerializer.Deserialize<EmbeddingState>(File.ReadAllBytes(paths.State));
            return state is { Parameters: not null, NextImage: >= 0, Rows: >= 0, Bytes: >= 0, IndexBytes: >= 0 } ? state : throw new JsonException(
                "it lacks something");
        }
        catch (JsonException e)
        {
            throw Damaged(paths, e.Message);
        }
    }

    private static JepaException Damaged(EmbeddingPaths paths, string why) =>
        new($"{paths.State}, which an unfinished job left, cannot be used: {why}. Delete it and {paths.Partial} to begin anew.", isUsage: true);
}
