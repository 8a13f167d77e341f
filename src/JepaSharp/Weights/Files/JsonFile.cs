using System.Text.Json;
using JepaSharp.Runtime;

namespace JepaSharp.Weights;

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
