using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>A pinhole camera that looks at the origin with the vertical axis up, at CLEVR's focal length.</summary>
internal readonly struct SceneCamera
{
    /// <summary>Where CLEVR's camera stands before jitter.</summary>
    public static readonly Vector3 Home = new(7.48113f, -6.50764f, 5.34367f);

    // A 35 mm lens on a 32 mm sensor; the frame of CLEVR is 3:2.
    private const float FocalLength = 35f / 32f, FrameAspect = 1.5f;

    public SceneCamera(Vector3 position)
    {
        Position = position;
        Forward = Vector3.Normalize(-position);
        Right = Vector3.Normalize(Vector3.Cross(Forward, Vector3.UnitZ));
        Up = Vector3.Cross(Right, Forward);
    }

    public readonly Vector3 Position, Forward, Right, Up;

    /// <summary>Left and behind along the ground.</summary>
    public SceneDirections Directions => new(-Right, Vector3.Normalize(Forward with { Z = 0 }));

    /// <summary>Pixels for one unit of length at depth 1. CLEVR's 3:2 frame always fits: other shapes of picture only add to it.</summary>
    public static float PixelsPerUnit(int width, int height) => FocalLength * MathF.Min(width, FrameAspect * height);

    /// <summary>Column, row and depth of a point.</summary>
    public Vector3 Project(Vector3 point, int width, int height)
    {
        var offset = point - Position;
        var depth = Vector3.Dot(offset, Forward);
        var scale = PixelsPerUnit(width, height) / depth;
        return new((0.5f * width) + (scale * Vector3.Dot(offset, Right)), (0.5f * height) - (scale * Vector3.Dot(offset, Up)), depth);
    }

    /// <summary>Unit direction of the ray through a point of the picture; (0, 0) is the outer corner of the first pixel.</summary>
    public Vector3 Ray(float x, float y, int width, int height) =>
        Vector3.Normalize((PixelsPerUnit(width, height) * Forward) + ((x - (0.5f * width)) * Right) - ((y - (0.5f * height)) * Up));

    /// <summary>A rectangle of the picture (left, top, right, bottom) that holds all of a sphere in front of the camera.</summary>
    public Vector4 Bounds(Vector3 center, float radius, int width, int height)
    {
        // A sphere's outline is an ellipse of half axes at most f r / sqrt(z^2 - r^2), stretched by 1 / cos of the angle off the axis.
        var p = Project(center, width, height);
        var pixels = PixelsPerUnit(width, height);
        var offAxis = new Vector2(p.X - (0.5f * width), p.Y - (0.5f * height)).LengthSquared() / (pixels * pixels);
        var reach = (pixels * radius * (1 + offAxis) / (p.Z - radius)) + 1;
        return new(p.X - reach, p.Y - reach, p.X + reach, p.Y + reach);
    }
}
