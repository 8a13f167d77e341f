using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>The annotation of one picture, as in the <c>scenes</c> of CLEVR_v1.0 (Johnson et al., CVPR 2017).</summary>
/// <param name="ImageIndex">Number of the picture in its split.</param>
/// <param name="ImageFilename">File name of the picture, without folder.</param>
/// <param name="Split">Name of the split: train, val, or any other.</param>
/// <param name="Directions">What left and behind mean in this picture; null where the file does not say.</param>
/// <param name="Objects">What stands on the ground.</param>
public sealed record Scene(int ImageIndex, string ImageFilename, string Split, SceneDirections? Directions, IReadOnlyList<SceneObject> Objects);

/// <summary>Directions along the ground as the camera sees them, unit vectors in scene coordinates.</summary>
/// <param name="Left">To the viewer's left.</param>
/// <param name="Behind">Away from the viewer.</param>
public sealed record SceneDirections(Vector3 Left, Vector3 Behind)
{
    /// <summary>Two objects are related along a direction when their centres are further apart along it than this (CLEVR's value).</summary>
    public const float RelationMargin = 0.2f;

    /// <summary>To the viewer's right.</summary>
    public Vector3 Right => -Left;

    /// <summary>Towards the viewer.</summary>
    public Vector3 Front => -Behind;

    /// <summary>Up, away from the ground.</summary>
    public Vector3 Above => Vector3.UnitZ;

    /// <summary>Down, into the ground.</summary>
    public Vector3 Below => -Vector3.UnitZ;

    /// <summary>For each object, the ascending indices of the objects that lie from it towards <paramref name="direction"/> (CLEVR's
    /// <c>relationships</c>).</summary>
    public static int[][] Related(IReadOnlyList<SceneObject> objects, Vector3 direction)
    {
        var related = new int[objects.Count][];
        for (var i = 0; i < objects.Count; i++)
        {
            var from = objects[i].Position;
            related[i] =
                [.. Enumerable.Range(0, objects.Count).Where(j => j != i && Vector3.Dot(objects[j].Position - from, direction) > RelationMargin)];
        }

        return related;
    }
}
