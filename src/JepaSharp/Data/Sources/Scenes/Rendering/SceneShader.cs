using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>Colours what a ray meets, in linear light.</summary>
internal readonly ref struct SceneShader(SceneSetup setup)
{
    /// <summary>The ray meets no object and no ground.</summary>
    public const int Nothing = -2;

    /// <summary>The ray meets the ground.</summary>
    public const int Ground = -1;

    private const float Ambient = 0.17f, GroundBounce = 0.16f;
    private const float MatteGloss = 0.10f, MirrorShare = 0.72f, MetalDiffuse = 0.42f;

    private readonly ReadOnlySpan<PlacedObject> _objects = setup.Objects;
    private readonly StudioLights _lights = setup.Lights;

    /// <summary>First thing that a ray meets: an object's index, <see cref="Ground"/> or <see cref="Nothing"/>.</summary>
    public int Trace(Vector3 origin, Vector3 direction, int skip, out float distance)
    {
        distance = direction.Z < 0 ? -origin.Z / direction.Z : float.PositiveInfinity;
        var hit = direction.Z < 0 ? Ground : Nothing;
        for (var i = 0; i < _objects.Length; i++)
        {
            if (i == skip) continue;
            var entry = _objects[i].Solid.Intersect(origin, direction);
            if (entry < distance) (distance, hit) = (entry, i);
        }

        return hit;
    }

    /// <summary>Linear red, green and blue that come back along a ray which meets <paramref name="hit"/> at <paramref name="distance"/>.</summary>
    public Vector3 Shade(Vector3 origin, Vector3 direction, int hit, float distance, bool mirrors = true)
    {
        if (hit == Nothing) return Studio.Mirrored(origin, direction, _lights);
        var point = origin + (distance * direction);
        if (hit == Ground) return Studio.Ground(point, Light(point, Vector3.UnitZ, direction, Ground, out _));

        ref readonly var item = ref _objects[hit];
        var normal = item.Solid.Normal(point);
        var albedo = ScenePalette.Linear(item.Color);
        var diffuse = albedo * Light(point, normal, direction, hit, out var gloss);
        if (item.Material == SceneMaterial.Rubber) return diffuse + new Vector3(MatteGloss * gloss);

        // Metal: a tinted mirror over a dim coat of its own colour; whiter at grazing angles (Schlick, 1994).
        var facing = MathF.Max(0, -Vector3.Dot(normal, direction));
        var grazing = (1 - facing) * (1 - facing);
        grazing *= grazing * (1 - facing);
        var tint = Vector3.Lerp((0.82f * albedo) + new Vector3(0.18f), Vector3.One, grazing);
        var mirror = Vector3.Reflect(direction, normal);
        return (MetalDiffuse * diffuse) + (MirrorShare * tint * Mirror(point, mirror, hit, mirrors));
    }

    // One bounce: a metal seen in a metal mirrors the empty studio.
    private Vector3 Mirror(Vector3 point, Vector3 direction, int self, bool mirrors)
    {
        if (!mirrors) return direction.Z < 0 ? new(0.6f * Studio.GroundAlbedo) : Studio.Mirrored(point, direction, _lights);
        var hit = Trace(point, direction, self, out var distance);
        return Shade(point, direction, hit, distance, mirrors: false);
    }

    // Light that a matte surface receives, and the lamps' broad highlight.
    private float Light(Vector3 point, Vector3 normal, Vector3 view, int self, out float gloss)
    {
        var lamps = new LampViews(_lights, point, normal);
        var open = 1f;
        for (var i = 0; i < _objects.Length; i++)
        {
            if (i == self) continue;
            ref readonly var solid = ref _objects[i].Solid;
            var offset = solid.Center - point;
            var squared = offset.LengthSquared();
            open *= 1 - Occlusion(solid, offset, squared, normal);
            lamps.Shadow(solid, offset, squared);
        }

        // The ground hides the lower half of an object's surroundings where it stands on it.
        if (self >= 0) open *= 0.55f + (0.45f * Studio.Smooth(point.Z / _objects[self].Solid.Half));
        gloss = self < 0 ? 0 : lamps.Gloss(normal, view);
        return (open * float.Lerp(GroundBounce, Ambient, 0.5f + (0.5f * normal.Z))) + Vector4.Dot(lamps.Power, lamps.Facing);
    }

    // Ambient occlusion: a sphere of radius r at distance l hides max(0, cos) r^2 / l^2 of a surface's sky (Quilez). Boxes and
    // cylinders count as spheres of their volume; what is ten radii away does not count.
    private static float Occlusion(in Solid solid, Vector3 offset, float squared, Vector3 normal)
    {
        var ratio = solid.Bulk * solid.Bulk / squared;
        if (ratio < 0.01f) return 0;
        return Math.Clamp(Vector3.Dot(normal, offset) / MathF.Sqrt(squared) * ratio, 0, 0.95f);
    }
}
