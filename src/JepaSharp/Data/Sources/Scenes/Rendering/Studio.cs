using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>What surrounds the objects: grey ground that fades into a grey backdrop, and lamps that shiny things mirror.</summary>
internal static class Studio
{
    /// <summary>Share of light that the ground sends back.</summary>
    public const float GroundAlbedo = 0.27f;

    private static readonly float[] LampGlow = [6, 1.2f, 1.9f];
    private static readonly Vector3 Backdrop = new(0.215f, 0.215f, 0.22f);
    private const float FadeFrom = 4, FadeTo = 16, LampEdge = 0.25f;

    /// <summary>The ground's colour at a point: lit near the middle, lost in the backdrop far away.</summary>
    public static Vector3 Ground(Vector3 point, float light)
    {
        var distance = MathF.Sqrt((point.X * point.X) + (point.Y * point.Y));
        var fade = Smooth((distance - FadeFrom) / (FadeTo - FadeFrom));
        return Vector3.Lerp(new(GroundAlbedo * light), Backdrop, fade);
    }

    /// <summary>What a mirror at a point sees in a direction where nothing stands: backdrop, lighter towards the zenith, and lamps.</summary>
    public static Vector3 Mirrored(Vector3 point, Vector3 direction, in StudioLights lights)
    {
        var sky = Backdrop * (0.8f + (1.3f * MathF.Max(0, direction.Z)));
        for (var i = 0; i < StudioLights.Count; i++) sky += new Vector3(Lamp(point, direction, lights.Position(i), lights.Half[i]) * LampGlow[i]);
        return sky;
    }

    /// <summary>0 for nothing or less, 1 for one or more, smooth between.</summary>
    public static float Smooth(float x)
    {
        x = Math.Clamp(x, 0, 1);
        return x * x * (3 - (2 * x));
    }

    // 1 where the ray meets the lamp's square, softened at its rim.
    private static float Lamp(Vector3 point, Vector3 direction, Vector3 lamp, float half)
    {
        var facing = Vector3.Normalize(-lamp);
        var slope = Vector3.Dot(direction, facing);
        if (slope > -1e-3f) return 0;
        var distance = Vector3.Dot(lamp - point, facing) / slope;
        if (distance <= 0) return 0;
        var hit = point + (distance * direction) - lamp;
        var right = Vector3.Normalize(new Vector3(facing.Y, -facing.X, 0));
        var (u, v) = (MathF.Abs(Vector3.Dot(hit, right)), MathF.Abs(Vector3.Dot(hit, Vector3.Cross(right, facing))));
        var inside = half + LampEdge - MathF.Max(u, v);
        return Smooth(inside / (2 * LampEdge));
    }
}
