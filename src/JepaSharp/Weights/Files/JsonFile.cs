using System.Text.Json;

namespace JepaSharp.Weights;

/// <summary>Reads the small JSON files that lie beside weights.</summary>
internal static class JsonFile
{
    /// <exception cref="WeightsFileException">The file is missing, longer than allowed, or not JSON.</exception>
    public static JsonDocument Read(string path, long longest)
    {
        using var file = new MappedFile(path);
        if (file.Length > longest) throw new WeightsFileException(path, $"{file.Length} bytes", $"at most {longest}");
        var bytes = file.View(0, (int)file.Length).ToArray();
        try
        {
            return JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 32 });
        }
        catch (JsonException e)
        {
            throw new WeightsFileException(path, $"something that is not JSON ({e.Message.Split(" LineNumber")[0].TrimEnd('.')})", "a JSON file", e);
        }
    }
}
