using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

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
