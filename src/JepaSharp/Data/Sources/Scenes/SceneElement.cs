using System.Numerics;
using System.Text.Json;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>One scene from its JSON; every message names the place in the file.</summary>
internal static class SceneElement
{
    /// <exception cref="JepaException">A needed field is missing or holds something else.</exception>
    public static Scene Parse(JsonElement scene, string where)
    {
        var objects = Field(scene, "objects", JsonValueKind.Array, where);
        var parsed = new SceneObject[objects.GetArrayLength()];
        for (var i = 0; i < parsed.Length; i++) parsed[i] = ParseObject(objects[i], $"{where}.objects[{i}]");
        var filename = Field(scene, "image_filename", JsonValueKind.String, where).GetString()!;
        var index = scene.TryGetProperty("image_index", out var number) && number.ValueKind == JsonValueKind.Number
            && number.TryGetInt32(out var i32) ? i32 : 0;
        var split = scene.TryGetProperty("split", out var word) && word.ValueKind == JsonValueKind.String ? word.GetString()! : "";
        return new(index, filename, split, ParseDirections(scene, where), parsed);
    }

    private static SceneDirections? ParseDirections(JsonElement scene, string where)
    {
        if (!scene.TryGetProperty("directions", out var directions) || directions.ValueKind != JsonValueKind.Object) return null;
        return new(Vector(directions, "left", $"{where}.directions"), Vector(directions, "behind", $"{where}.directions"));
    }

    private static SceneObject ParseObject(JsonElement item, string where)
    {
        var pixel = Vector(item, "pixel_coords", where);
        var rotation =
            item.ValueKind == JsonValueKind.Object && item.TryGetProperty("rotation", out var turn) && turn.ValueKind == JsonValueKind.Number
            ? turn.GetSingle()
            : 0;
        return new(
            Word<SceneShape>(item, "shape", where),
            Word<SceneSize>(item, "size", where),
            Word<SceneMaterial>(item, "material", where),
            Word<SceneColor>(item, "color", where),
            Vector(item, "3d_coords", where),
            new((int)pixel.X, (int)pixel.Y, pixel.Z),
            rotation);
    }

    private static T Word<T>(JsonElement item, string field, string where)
        where T : struct, Enum
    {
        var word = Field(item, field, JsonValueKind.String, where).GetString();
        return SceneWords.TryParse<T>(word, out var value)
            ? value
            : throw new JepaException($"{where}.{field} is \"{word}\". Expected one of {SceneWords.List<T>()}.", isUsage: true);
    }

    private static Vector3 Vector(JsonElement item, string field, string where)
    {
        var array = Field(item, field, JsonValueKind.Array, where);
        if (array.GetArrayLength() != 3 || array.EnumerateArray().Any(number => number.ValueKind != JsonValueKind.Number))
            throw new JepaException($"{where}.{field} is {Shortened(array)}. Expected three numbers.", isUsage: true);
        return new(array[0].GetSingle(), array[1].GetSingle(), array[2].GetSingle());
    }

    private static JsonElement Field(JsonElement parent, string field, JsonValueKind kind, string where)
    {
        if (parent.ValueKind != JsonValueKind.Object)
            throw new JepaException($"{where} is {Shortened(parent)}. Expected an object with \"{field}\".", isUsage: true);
        if (!parent.TryGetProperty(field, out var value))
            throw new JepaException(
                $"{where} has no \"{field}\". It holds {string.Join(", ", parent.EnumerateObject().Select(p => p.Name))}.", isUsage: true);
        if (value.ValueKind != kind)
            throw new JepaException(
                $"{where}.{field} is {Shortened(value)}. Expected {(kind == JsonValueKind.Array ? "a list" : "a text")}.", isUsage: true);
        return value;
    }

    private static string Shortened(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 60 ? text : text[..57] + "...";
    }
}
