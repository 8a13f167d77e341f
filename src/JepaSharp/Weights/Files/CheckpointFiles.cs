using System.Security.Cryptography;
using System.Text.Json;

namespace JepaSharp.Weights;

/// <summary>The checksums that a run's checkpoint keeps of its files, in the <c>state.json</c> beside them.</summary>
internal static class CheckpointFiles
{
    /// <summary>Name of the file that has them.</summary>
    public const string State = "state.json";

    private const int Tries = 5;

    /// <summary>SHA-256 of a file's bytes, as <c>sha256sum</c> prints it.</summary>
    public static string DigestOf(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 20);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Compares a file with its checksum, where a <c>state.json</c> beside it has one.</summary>
    /// <exception cref="WeightsFileException">It is damaged; names another checkpoint of the run, where a whole one is.</exception>
    public static void Verify(string path)
    {
        if (IsWhole(path)) return;
        var others = AnotherWhole(path) is { } other ? $". Another checkpoint of the run is whole: {other}" : "";
        throw new WeightsFileException(
            path,
            $"a file whose checksum is not the one in the {State} beside it",
            $"the file as the run wrote it: it is damaged or was replaced{others}");
    }

    private static bool IsWhole(string path)
    {
        // A run may replace the whole checkpoint between the looks at its two files.
        for (var tries = 1; ; tries++)
        {
            if (Expected(path) is not { } expected || DigestOf(path) == expected) return true;
            if (Expected(path) == expected || tries == Tries) return false;
        }
    }

    private static string? AnotherWhole(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        try
        {
            return Directory.GetDirectories(Path.GetDirectoryName(folder)!)
                .Where(other => other != folder && !Path.GetFileName(other).Contains('.', StringComparison.Ordinal))
                .OrderDescending(StringComparer.Ordinal)
                .FirstOrDefault(other =>
                    Path.Combine(other, Path.GetFileName(path)) is var file && File.Exists(file) && Expected(file) is not null && IsWhole(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The checksum of a file, or null where none is known of it.</summary>
    private static string? Expected(string path)
    {
        try
        {
            var state = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, State);
            if (!File.Exists(state)) return null;
            using var json = JsonDocument.Parse(File.ReadAllBytes(state), new JsonDocumentOptions { MaxDepth = 32 });
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("Files", out var files) && files.ValueKind == JsonValueKind.Object
                && files.TryGetProperty(Path.GetFileName(path), out var digest) && digest.ValueKind == JsonValueKind.String
                ? digest.GetString()
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            return null; // the weights carry checksums of their own
        }
    }
}
