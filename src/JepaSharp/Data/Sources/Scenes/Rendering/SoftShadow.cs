using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>How much of a lamp a point sees past one solid, without sampling: smooth and free of noise.</summary>
/// <remarks>
/// The lamp is taken as round. Along the ray to its centre the solid comes as near as min_t d(t) / t, a signed angle (d: signed
/// distance to the solid); the lamp is hidden in proportion to where that angle lies in [-a, a], a: the lamp's angular radius.
/// </remarks>
internal static class SoftShadow
{
    private const float Golden = 0.618034f;
    private const int Steps = 6;

    /// <summary>1 where the lamp is seen whole, 0 where not at all.</summary>
    /// <param name="solid">What may stand in the way.</param>
    /// <param name="offset">From the lit point to the solid's centre.</param>
    /// <param name="toLamp">Unit direction from the point to the lamp's centre.</param>
    /// <param name="spread">Tangent of the lamp's angular radius from the point.</param>
    public static float Visibility(in Solid solid, Vector3 offset, Vector3 toLamp, float spread)
    {
        var along = Vector3.Dot(offset, toLamp);
        var angle = solid.Shape == SceneShape.Sphere
            ? SphereAngle(along, offset.LengthSquared(), solid.Half)
            : LeastAngle(solid, solid.ToLocal(-offset), solid.ToLocal(toLamp), along, -spread);
        var seen = Math.Clamp(0.5f + (0.5f * angle / spread), 0, 1);
        return seen * seen * (3 - (2 * seen));
    }

    // Sine of (angle between ray and centre) - (angular radius of the sphere).
    private static float SphereAngle(float along, float squared, float radius)
    {
        if (along <= 0) return float.PositiveInfinity;
        var sine = MathF.Min(1, radius / MathF.Sqrt(squared));
        var across = MathF.Sqrt(MathF.Max(0, squared - (along * along)));
        return ((across * MathF.Sqrt(1 - (sine * sine))) - (along * sine)) / MathF.Sqrt(squared);
    }

    // d is convex along a line for a convex solid, so d(t) / t has one valley: golden-section search, down to where the
    // lamp is wholly hidden.
    private static float LeastAngle(in Solid solid, Vector3 origin, Vector3 direction, float along, float enough)
    {
        var low = MathF.Max(1e-3f, along - solid.Bound);
        var high = MathF.Max(low, along + solid.Bound);
        var (a, b) = (high - (Golden * (high - low)), low + (Golden * (high - low)));
        var (atA, atB) = (solid.SignedDistance(origin + (a * direction)) / a, solid.SignedDistance(origin + (b * direction)) / b);
        for (var i = 0; i < Steps && atA > enough && atB > enough; i++)
        {
            if (atA < atB)
            {
                (high, b, atB) = (b, a, atA);
                a = high - (Golden * (high - low));
                atA = solid.SignedDistance(origin + (a * direction)) / a;
            }
            else
            {
                (low, a, atA) = (a, b, atB);
                b = low + (Golden * (high - low));
                atB = solid.SignedDistance(origin + (b * direction)) / b;
            }
        }

        return MathF.Min(atA, atB);
    }
}
