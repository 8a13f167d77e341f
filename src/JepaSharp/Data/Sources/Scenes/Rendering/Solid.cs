using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>A solid on the ground: where rays meet it, how far points are from it, which way its surface faces.</summary>
internal readonly struct Solid
{
    // Edges are shaded as if rounded to this share of the half size; the outline stays sharp.
    private const float Bevel = 0.09f;

    private readonly float _cos, _sin;

    /// <param name="shape">Which solid.</param>
    /// <param name="center">Its centre.</param>
    /// <param name="half">Radius of a sphere, half the side of a cube, radius and half the height of a cylinder.</param>
    /// <param name="turn">Turn about the vertical axis, in radians.</param>
    public Solid(SceneShape shape, Vector3 center, float half, float turn)
    {
        (Shape, Center, Half) = (shape, center, half);
        (_sin, _cos) = MathF.SinCos(turn);
        Bound = half * shape switch { SceneShape.Sphere => 1, SceneShape.Cylinder => MathF.Sqrt(2), _ => MathF.Sqrt(3) };
        Bulk = half * shape switch { SceneShape.Sphere => 1, SceneShape.Cylinder => 1.14f, _ => 1.24f };
    }

    public readonly SceneShape Shape;
    public readonly Vector3 Center;
    public readonly float Half;

    /// <summary>Radius of the sphere around the centre that holds the solid.</summary>
    public readonly float Bound;

    /// <summary>Radius of the sphere of the same volume.</summary>
    public readonly float Bulk;

    /// <summary>Turns a vector into the solid's own axes.</summary>
    public Vector3 ToLocal(Vector3 v) => new((_cos * v.X) + (_sin * v.Y), (_cos * v.Y) - (_sin * v.X), v.Z);

    /// <summary>Turns a vector of the solid's own axes back into the scene.</summary>
    public Vector3 FromLocal(Vector3 v) => new((_cos * v.X) - (_sin * v.Y), (_sin * v.X) + (_cos * v.Y), v.Z);

    /// <summary>Distance along a unit ray to the point where it enters from outside; infinity where it does not.</summary>
    public float Intersect(Vector3 origin, Vector3 direction)
    {
        var offset = origin - Center;
        var along = -Vector3.Dot(offset, direction);
        var slack = (Bound * Bound) - Vector3.Dot(offset, offset) + (along * along);
        if (slack < 0 || along < -Bound) return float.PositiveInfinity;
        if (Shape == SceneShape.Sphere)
        {
            var entry = along - MathF.Sqrt(slack);
            return entry > 0 ? entry : float.PositiveInfinity;
        }

        var (o, d) = (ToLocal(offset), ToLocal(direction));
        return Shape == SceneShape.Cube ? Cube.Intersect(o, d, Half) : Cylinder.Intersect(o, d, Half);
    }

    /// <summary>Signed distance to the surface from a point in the solid's own axes, relative to its centre: negative inside.</summary>
    public float SignedDistance(Vector3 local) => Shape switch
    {
        SceneShape.Sphere => local.Length() - Half,
        SceneShape.Cube => Cube.SignedDistance(local, Half),
        _ => Cylinder.SignedDistance(local, Half),
    };

    /// <summary>Unit normal at a point of the surface, with edges rounded.</summary>
    public Vector3 Normal(Vector3 point)
    {
        var local = ToLocal(point - Center);
        return Shape switch
        {
            SceneShape.Sphere => (point - Center) / Half,
            SceneShape.Cube => FromLocal(Cube.Normal(local, Half, Bevel * Half)),
            _ => FromLocal(Cylinder.Normal(local, Half, Bevel * Half)),
        };
    }

    /// <summary>Number of the smooth face that a point of the surface lies on, 0 to 5.</summary>
    public int Face(Vector3 point)
    {
        if (Shape == SceneShape.Sphere) return 0;
        var local = ToLocal(point - Center);
        return Shape == SceneShape.Cube ? Cube.Face(local) : Cylinder.Face(local, Half);
    }
}

/// <summary>Geometry of the cube [-half, half]^3 in its own axes.</summary>
internal static class Cube
{
    /// <summary>Slab method (Kay and Kajiya, 1986): the ray is inside where it is between all three pairs of faces.</summary>
    public static float Intersect(Vector3 origin, Vector3 direction, float half)
    {
        var inverse = Vector3.One / direction;
        var (a, b) = ((new Vector3(-half) - origin) * inverse, (new Vector3(half) - origin) * inverse);
        var (low, high) = (Vector3.Min(a, b), Vector3.Max(a, b));
        var enter = MathF.Max(low.X, MathF.Max(low.Y, low.Z));
        var leave = MathF.Min(high.X, MathF.Min(high.Y, high.Z));
        return enter > 0 && enter < leave ? enter : float.PositiveInfinity;
    }

    public static float SignedDistance(Vector3 point, float half)
    {
        var outside = Vector3.Abs(point) - new Vector3(half);
        return Vector3.Max(outside, Vector3.Zero).Length() + MathF.Min(0, MathF.Max(outside.X, MathF.Max(outside.Y, outside.Z)));
    }

    public static Vector3 Normal(Vector3 point, float half, float bevel)
    {
        // The normal of the cube with rounded edges points away from the smaller cube of side 2 (half - bevel).
        var inner = Vector3.Clamp(point, new Vector3(bevel - half), new Vector3(half - bevel));
        return Vector3.Normalize(point - inner);
    }

    public static int Face(Vector3 point)
    {
        var size = Vector3.Abs(point);
        if (size.X >= size.Y && size.X >= size.Z) return point.X < 0 ? 0 : 1;
        if (size.Y >= size.Z) return point.Y < 0 ? 2 : 3;
        return point.Z < 0 ? 4 : 5;
    }
}
