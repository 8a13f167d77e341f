using System.Numerics;
using System.Text;
using System.Text.Json;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources.Scenes;

public sealed class SceneAnnotationTests
{
    // Written by hand in the form of CLEVR_v1.0, with fields in another order and some that nobody needs.
    private const string Clevr = """
        {"info": {"split": "val", "license": "CC-BY", "version": "1.0", "date": "2/14/2017"},
         "scenes": [
          {"image_index": 7, "relationships": {"left": [[1], []]}, "mask": {"a": [1, {"b": null}]},
           "objects": [
            {"color": "brown", "size": "large", "rotation": 178.92, "shape": "cylinder", "3d_coords": [-1.5, -1.25, 0.7], "material": "rubber", "pixel_coords": [119, 131, 10.5]},
            {"color": "gray", "size": "small", "rotation": 12, "shape": "cube", "3d_coords": [2.0, 1.0, 0.25], "material": "metal", "pixel_coords": [300, 90, 8.5], "extra": true}],
           "image_filename": "CLEVR_val_000007.png", "split": "val",
           "directions": {"right": [0.6563, 0.7545, 0.0], "behind": [-0.7545, 0.6563, 0.0], "above": [0.0, 0.0, 1.0], "left": [-0.6563, -0.7545, 0.0]}},
          {"objects": [], "image_filename": "CLEVR_val_000008.png"}
         ], "more": [1, 2]}
        """;

    [Fact]
    public void Read_ClevrFile_UnderstandsEveryNeededField()
    {
        var scenes = Read(Clevr);
        Assert.Equal(2, scenes.Length);
        Assert.Equal((7, "CLEVR_val_000007.png", "val"), (scenes[0].ImageIndex, scenes[0].ImageFilename, scenes[0].Split));
        Assert.Equal(
            new SceneObject(SceneShape.Cylinder, SceneSize.Large, SceneMaterial.Rubber, SceneColor.Brown, new(-1.5f, -1.25f, 0.7f),
                new(119, 131, 10.5f), 178.92f),
            scenes[0].Objects[0]);
        Assert.Equal(new Vector3(-0.7545f, 0.6563f, 0), scenes[0].Directions!.Behind);
        Assert.Equal(8.5f, SceneTargets.NearestDistance(scenes[0]));
        Assert.Empty(scenes[1].Objects);
        Assert.Null(scenes[1].Directions);
    }

    [Fact]
    public void WriteThenRead_ManyScenes_GivesBackTheSame()
    {
        // Long enough that the reader must move and grow its window many times.
        using var source = new ScenesSource(2, 300, 64);
        var written = Enumerable.Range(0, 300).Select(source.SceneOf).ToArray();
        using var stream = new MemoryStream();
        SceneAnnotationWriter.Write(stream, new("new"), written);
        Assert.True(stream.Length > 400_000);
        stream.Position = 0;
        var read = SceneAnnotationReader.Read(stream, "memory").ToArray();
        Assert.Equal(written.Length, read.Length);
        for (var i = 0; i < read.Length; i++)
        {
            Assert.Equal(written[i].Objects, read[i].Objects);
            Assert.Equal(written[i] with { Objects = [] }, read[i] with { Objects = [] });
        }
    }

    [Fact]
    public void Write_AScene_HasExactlyTheFieldsOfClevr()
    {
        using var stream = new MemoryStream();
        SceneAnnotationWriter.Write(stream, new("val"), Read(Clevr)[..1]);
        using var json = JsonDocument.Parse(stream.ToArray());
        static string Names(JsonElement element) => string.Join(" ", element.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        var scene = json.RootElement.GetProperty("scenes")[0];
        Assert.Equal("info scenes", Names(json.RootElement));
        Assert.Equal("date license split version", Names(json.RootElement.GetProperty("info")));
        Assert.Equal("directions image_filename image_index objects relationships split", Names(scene));
        Assert.Equal("3d_coords color material pixel_coords rotation shape size", Names(scene.GetProperty("objects")[0]));
        Assert.Equal("above behind below front left right", Names(scene.GetProperty("directions")));
        // The cube stands to the right of the cylinder (3.99 along "right") and level in depth (-1.16 along "behind": in front).
        var relationships = scene.GetProperty("relationships");
        Assert.Equal("[[1],[]]", relationships.GetProperty("right").GetRawText());
        Assert.Equal("[[],[0]]", relationships.GetProperty("left").GetRawText());
        Assert.Equal("[[1],[]]", relationships.GetProperty("front").GetRawText());
        Assert.Equal("[[],[0]]", relationships.GetProperty("behind").GetRawText());
    }

    [Theory]
    [InlineData("\"shape\": \"cube\"", "\"shape\": \"cone\"", "scenes[0].objects[1].shape is \"cone\". Expected one of cube, sphere, cylinder.")]
    [InlineData("[300, 90, 8.5]", "[300, 90]", "scenes[0].objects[1].pixel_coords is [300, 90]. Expected three numbers.")]
    [InlineData("\"pixel_coords\": [300", "\"pixels\": [300", "scenes[0].objects[1] has no \"pixel_coords\"")]
    [InlineData("\"objects\": []", "\"objects\": 3", "scenes[1].objects is 3. Expected a list.")]
    [InlineData("\"image_filename\": \"CLEVR_val_000008.png\"", "\"name\": \"x\"", "scenes[1] has no \"image_filename\"")]
    [InlineData("\"scenes\": [", "\"pictures\": [", "has no array \"scenes\"")]
    [InlineData("], \"more\": [1, 2]}", "", "is not whole JSON")]
    [InlineData("\"rotation\": 12,", "\"rotation\": 1x,", "is not whole JSON: it breaks off or goes wrong at or after scenes[0]")]
    public void Read_DamagedFile_SaysWhereAndWhat(string sound, string damaged, string message)
    {
        Assert.Contains(sound, Clevr, StringComparison.Ordinal);
        var error = Assert.Throws<JepaException>(() => Read(Clevr.Replace(sound, damaged, StringComparison.Ordinal)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.True(error.IsUsage);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("12")]
    public void Read_AnotherKindOfFile_IsRefusedPlainly(string text) => Assert.Throws<JepaException>(() => Read(text));

    [Fact]
    public void Read_MissingFile_SaysSo() =>
        Assert.Contains("There is no annotation file", Assert.Throws<JepaException>(() => SceneAnnotationReader.Read("nowhere/scenes.json")).Message,
            StringComparison.Ordinal);

    private static Scene[] Read(string text) => [.. SceneAnnotationReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), "file.json")];
}
