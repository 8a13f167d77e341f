using System.Text.Json;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>Reads the annotation files of CLEVR_v1.0 and of <see cref="SceneFolder"/>, a scene at a time in bounded memory.</summary>
/// <remarks>Fields that are not needed (info, relationships, masks, and whatever else a file adds) are skipped.</remarks>
public static class SceneAnnotationReader
{
    private const int FirstBuffer = 1 << 16;

    /// <summary>Reads all scenes of a file.</summary>
    /// <exception cref="JepaException">The file is missing, is not JSON, or a scene lacks what is needed: says where and what.</exception>
    public static IReadOnlyList<Scene> Read(string path)
    {
        if (!File.Exists(path))
            throw new JepaException(
                $"There is no annotation file {path}. Expected CLEVR's scenes JSON, or the scenes.json that `jepa scenes` writes.", isUsage: true);
        try
        {
            using var stream = File.OpenRead(path);
            return [.. Read(stream, path)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{path} cannot be read: {error.Message}", isUsage: true, error);
        }
    }

    /// <summary>Reads scenes as they come.</summary>
    /// <param name="stream">UTF-8 JSON: an object with an array <c>scenes</c>.</param>
    /// <param name="name">What messages call the stream.</param>
    /// <exception cref="JepaException">The text is not JSON, or a scene lacks what is needed.</exception>
    public static IEnumerable<Scene> Read(Stream stream, string name)
    {
        var text = new JsonTextWindow(stream, FirstBuffer);
        if (!Guarded(name, 0, () => text.EnterArray("scenes")))
            throw new JepaException(
                $"{name} has no array \"scenes\" at its top level. Expected {{\"info\": ..., \"scenes\": [...]}} as in CLEVR_v1.0.", isUsage: true);
        for (var index = 0; ; index++)
        {
            var at = index;
            using var element = Guarded(name, at, text.NextElement);
            if (element is null) yield break;
            yield return Guarded(name, at, () => SceneElement.Parse(element.RootElement, $"{name}: scenes[{at}]"));
        }
    }

    private static T Guarded<T>(string name, int index, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // the latter: text that is not UTF-8
        {
            throw new JepaException(
                $"{name} is not whole JSON: it breaks off or goes wrong at or after scenes[{index}] ({error.Message}). Fetch or write it again.",
                isUsage: true, error);
        }
    }
}
