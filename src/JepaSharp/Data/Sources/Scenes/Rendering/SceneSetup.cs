namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>An object that stands on the ground, with all that a picture of it needs.</summary>
internal readonly struct PlacedObject(SceneSize size, SceneMaterial material, SceneColor color, float rotation, Solid solid)
{
    public readonly SceneSize Size = size;
    public readonly SceneMaterial Material = material;
    public readonly SceneColor Color = color;

    /// <summary>Turn about the vertical axis, in degrees.</summary>
    public readonly float Rotation = rotation;

    public readonly Solid Solid = solid;
}

/// <summary>A scene before it is a picture: camera, lamps and objects. It does not depend on the picture's size.</summary>
internal sealed record SceneSetup(SceneCamera Camera, StudioLights Lights, PlacedObject[] Objects)
{
    /// <summary>What CLEVR would write beside a picture of this scene.</summary>
    public Scene Annotate(int width, int height, int index, string filename, string split) =>
        new(index, filename, split, Camera.Directions, [.. Objects.Select(item => Annotate(item, width, height))]);

    private SceneObject Annotate(PlacedObject item, int width, int height)
    {
        var p = Camera.Project(item.Solid.Center, width, height);
        var pixel = new ScenePixel((int)MathF.Round(p.X), (int)MathF.Round(p.Y), p.Z);
        return new(item.Solid.Shape, item.Size, item.Material, item.Color, item.Solid.Center, pixel, item.Rotation);
    }
}
