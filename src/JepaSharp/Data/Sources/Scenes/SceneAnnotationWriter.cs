using System.Numerics;
using System.Text.Json;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>The <c>info</c> of an annotation file.</summary>
/// <param name="Split">Name of the split.</param>
/// <param name="Version">Version of the data; CLEVR's is 1.0.</param>
/// <param name="Date">Date of making, month/day/year.</param>
/// <param name="License">Terms of use.</param>
public sealed record SceneFileInfo(string Split, string Version = "1.0", string Date = "", string License = "");

/// <summary>Writes annotations as CLEVR_v1.0's <c>*_scenes.json</c> does, field for field.</summary>
public static class SceneAnnotationWriter
{
    private const int FlushAt = 1 << 16;

    /// <summary>Writes <c>{"info": ..., "scenes": [...]}</c>, a scene at a time.</summary>
    public static void Write(Stream stream, SceneFileInfo info, IEnumerable<Scene> scenes)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteStartObject("info");
        json.WriteString("split", info.Split);
        json.WriteString("license", info.License);
        json.WriteString("version", info.Version);
        json.WriteString("date", info.Date);
        json.WriteEndObject();
        json.WriteStartArray("scenes");
        foreach (var scene in scenes)
        {
            Write(json, scene);
            if (json.BytesPending > FlushAt) json.Flush();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Scene scene)
    {
        json.WriteStartObject();
        json.WriteNumber("image_index", scene.ImageIndex);
        json.WriteString("image_filename", scene.ImageFilename);
        json.WriteString("split", scene.Split);
        json.WriteStartArray("objects");
        foreach (var item in scene.Objects) Write(json, item);
        json.WriteEndArray();
        if (scene.Directions is { } directions)
        {
            (string Name, Vector3 Way)[] level =
                [("right", directions.Right), ("behind", directions.Behind), ("front", directions.Front), ("left", directions.Left)];
            json.WriteStartObject("relationships");
            foreach (var (name, way) in level) WriteLists(json, name, SceneDirections.Related(scene.Objects, way));
            json.WriteEndObject();
            json.WriteStartObject("directions");
            foreach (var (name, way) in level) WriteVector(json, name, way);
            WriteVector(json, "above", directions.Above);
            WriteVector(json, "below", directions.Below);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, SceneObject item)
    {
        json.WriteStartObject();
        json.WriteString("shape", SceneWords.Of(item.Shape));
        json.WriteString("size", SceneWords.Of(item.Size));
        json.WriteString("material", SceneWords.Of(item.Material));
        json.WriteString("color", SceneWords.Of(item.Color));
        WriteVector(json, "3d_coords", item.Position);
        json.WriteStartArray("pixel_coords");
        json.WriteNumberValue(item.Pixel.X);
        json.WriteNumberValue(item.Pixel.Y);
        json.WriteNumberValue(item.Pixel.Depth);
        json.WriteEndArray();
        json.WriteNumber("rotation", item.Rotation);
        json.WriteEndObject();
    }

    private static void WriteVector(Utf8JsonWriter json, string name, Vector3 v)
    {
        json.WriteStartArray(name);
        for (var i = 0; i < 3; i++) json.WriteNumberValue(v[i] + 0f);
        json.WriteEndArray();
    }

    private static void WriteLists(Utf8JsonWriter json, string name, int[][] lists)
    {
        json.WriteStartArray(name);
        foreach (var list in lists)
        {
            json.WriteStartArray();
            foreach (var index in list) json.WriteNumberValue(index);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }
}

/// <summary>CLEVR's words for attributes: the names of the enumerations in lower case.</summary>
internal static class SceneWords
{
    /// <summary>The word for a value.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum => Words<T>.All[Array.IndexOf(Words<T>.Values, value)];

    /// <summary>The value of a word; false where there is none.</summary>
    public static bool TryParse<T>(string? word, out T value)
        where T : struct, Enum
    {
        var index = Array.IndexOf(Words<T>.All, word);
        value = index < 0 ? default : Words<T>.Values[index];
        return index >= 0;
    }

    /// <summary>All words for an attribute, for messages.</summary>
    public static string List<T>()
        where T : struct, Enum => string.Join(", ", Words<T>.All);

    private static class Words<T>
        where T : struct, Enum
    {
        public static readonly T[] Values = Enum.GetValues<T>();
        public static readonly string[] All = [.. Values.Select(value => value.ToString().ToLowerInvariant())];
    }
}
