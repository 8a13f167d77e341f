using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>The solids of CLEVR.</summary>
public enum SceneShape
{
    /// <summary>A cube on one of its faces.</summary>
    Cube,
    /// <summary>A ball.</summary>
    Sphere,
    /// <summary>A cylinder as high as it is wide, standing.</summary>
    Cylinder,
}

/// <summary>The two sizes of CLEVR.</summary>
public enum SceneSize
{
    /// <summary>Radius 0.35.</summary>
    Small,
    /// <summary>Radius 0.7.</summary>
    Large,
}

/// <summary>The two materials of CLEVR.</summary>
public enum SceneMaterial
{
    /// <summary>Matte.</summary>
    Rubber,
    /// <summary>Shiny: it mirrors its surroundings.</summary>
    Metal,
}

/// <summary>The eight colours of CLEVR.</summary>
public enum SceneColor
{
    /// <summary>RGB 87, 87, 87.</summary>
    Gray,
    /// <summary>RGB 173, 35, 35.</summary>
    Red,
    /// <summary>RGB 42, 75, 215.</summary>
    Blue,
    /// <summary>RGB 29, 105, 20.</summary>
    Green,
    /// <summary>RGB 129, 74, 25.</summary>
    Brown,
    /// <summary>RGB 129, 38, 192.</summary>
    Purple,
    /// <summary>RGB 41, 208, 208.</summary>
    Cyan,
    /// <summary>RGB 255, 238, 51.</summary>
    Yellow,
}

/// <summary>Where an object's centre falls in the picture.</summary>
/// <param name="X">Column in pixels from the left; may lie outside the picture.</param>
/// <param name="Y">Row in pixels from the top; may lie outside the picture.</param>
/// <param name="Depth">Distance from the camera along its viewing axis, in scene units.</param>
public readonly record struct ScenePixel(int X, int Y, float Depth);

/// <summary>One object of a scene, as CLEVR annotates it.</summary>
/// <param name="Shape">Which solid it is.</param>
/// <param name="Size">Large or small.</param>
/// <param name="Material">Matte or shiny.</param>
/// <param name="Color">One of eight.</param>
/// <param name="Position">Centre in scene units (<c>3d_coords</c>): the ground is z = 0.</param>
/// <param name="Pixel">Centre in the picture (<c>pixel_coords</c>).</param>
/// <param name="Rotation">Turn about the vertical axis in degrees, [0, 360).</param>
public sealed record SceneObject(
    SceneShape Shape, SceneSize Size, SceneMaterial Material, SceneColor Color, Vector3 Position, ScenePixel Pixel, float Rotation);
