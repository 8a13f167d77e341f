using System.Text.Json;
using JepaSharp.Runtime;

namespace JepaSharp.Weights;

/// <summary>Opens the files that weights lie in.</summary>
internal static class WeightsFile
{
    /// <summary>The file, mapped into memory.</summary>
    /// <exception cref="WeightsFileException">It is missing, a folder, or cannot be read.</exception>
    public static MappedFile Map(string path)
    {
        if (Directory.Exists(path)) throw new WeightsFileException(path, "a folder", "a file");
        if (!File.Exists(path))
        {
            throw new WeightsFileException(
                path, Absence.Of(path) == Absence.Nothing ? "no such file" : $"nothing that can be read (it {Absence.Of(path)})", "an existing file");
        }

        try
        {
            return new MappedFile(File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw WeightsFileException.Failed(path, "opening", e);
        }
    }
}

/// <summary>Reads the small JSON files that lie beside weights.</summary>
internal static class JsonFile
{
    /// <exception cref="WeightsFileException">The file is missing, longer than allowed, or not a JSON object.</exception>
    public static void Read(string path, long longest, Action<JsonElement> take)
    {
        using var file = WeightsFile.Map(path);
        if (file.Length > longest) throw new WeightsFileException(path, $"{file.Length} bytes", $"at most {longest}");
        var bytes = file.View(0, (int)file.Length).ToArray();
        if (ForeignContent.Of(bytes) is { StandsIn: true } foreign) throw new WeightsFileException(path, foreign.What,
            $"a JSON file: {foreign.Remedy}");
        try
        {
            using var json = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 32 });
            if (json.RootElement.ValueKind != JsonValueKind.Object) throw new WeightsFileException(path, "JSON that is not an object", "an object");
            take(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: half a surrogate pair
        {
            throw new WeightsFileException(path, $"something that is not JSON ({e.Message.Split(" LineNumber")[0].TrimEnd('.')})", "a JSON file", e);
        }
    }
}
