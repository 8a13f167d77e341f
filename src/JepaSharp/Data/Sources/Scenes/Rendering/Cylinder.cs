using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>Geometry of the standing cylinder of radius half and height 2 half about its own centre.</summary>
internal static class Cylinder
{
    /// <summary>Where a unit ray enters: inside is between the caps and within the infinite cylinder.</summary>
    public static float Intersect(Vector3 origin, Vector3 direction, float half)
    {
        // |origin + t direction| = half in the plane: a t^2 + 2 b t + c = 0.
        var a = (direction.X * direction.X) + (direction.Y * direction.Y);
        var b = (origin.X * direction.X) + (origin.Y * direction.Y);
        var c = (origin.X * origin.X) + (origin.Y * origin.Y) - (half * half);
        var (enter, leave) = (float.NegativeInfinity, float.PositiveInfinity);
        if (a > 1e-12f)
        {
            var discriminant = (b * b) - (a * c);
            if (discriminant < 0) return float.PositiveInfinity;
            var root = MathF.Sqrt(discriminant);
            (enter, leave) = ((-b - root) / a, (-b + root) / a);
        }
        else if (c > 0)
        {
            return float.PositiveInfinity;
        }

        var (bottom, top) = ((-half - origin.Z) / direction.Z, (half - origin.Z) / direction.Z);
        enter = MathF.Max(enter, MathF.Min(bottom, top));
        leave = MathF.Min(leave, MathF.Max(bottom, top));
        return enter > 0 && enter < leave ? enter : float.PositiveInfinity;
    }

    public static float SignedDistance(Vector3 point, float half)
    {
        var side = MathF.Sqrt((point.X * point.X) + (point.Y * point.Y)) - half;
        var cap = MathF.Abs(point.Z) - half;
        var (s, c) = (MathF.Max(side, 0), MathF.Max(cap, 0));
        return MathF.Sqrt((s * s) + (c * c)) + MathF.Min(0, MathF.Max(side, cap));
    }

    public static Vector3 Normal(Vector3 point, float half, float bevel)
    {
        // As for the cube: away from the smaller cylinder, in the half plane through the axis and the point.
        var radius = MathF.Sqrt((point.X * point.X) + (point.Y * point.Y));
        var side = MathF.Max(0, radius - (half - bevel)) / MathF.Max(radius, 1e-6f);
        var cap = MathF.CopySign(MathF.Max(0, MathF.Abs(point.Z) - (half - bevel)), point.Z);
        return Vector3.Normalize(new(point.X * side, point.Y * side, cap));
    }

    public static int Face(Vector3 point, float half)
    {
        var radius = MathF.Sqrt((point.X * point.X) + (point.Y * point.Y));
        if (radius - half >= MathF.Abs(point.Z) - half) return 0;
        return point.Z < 0 ? 1 : 2;
    }
}
