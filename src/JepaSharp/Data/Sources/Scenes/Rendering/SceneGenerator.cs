using System.Numerics;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>Draws scenes by the rules of CLEVR's generator (Johnson et al., CVPR 2017, supplementary A).</summary>
/// <remarks>
/// 3 to 10 objects, uniformly; shape, size, material, colour, turn and place uniform and independent; no two closer than a gap, nor
/// so nearly level along left-right or front-behind that one could not say which lies further; none hidden behind others. A scene
/// that fails is drawn again with the same number of objects, so that counts stay uniform.
/// </remarks>
internal static class SceneGenerator
{
    /// <summary>Least distance between the outlines of two objects on the ground.</summary>
    public const float Gap = 0.25f;

    /// <summary>Least distance between two centres along each of the camera's directions on the ground.</summary>
    public const float Margin = 0.4f;

    /// <summary>Objects stand in [-Extent, Extent] in both directions on the ground.</summary>
    public const float Extent = 3;

    private const double CameraJitter = 0.5, LightJitter = 1;
    private const int TriesPerObject = 50;

    /// <summary>Scene <paramref name="index"/> of <paramref name="seed"/>: the same for any number of scenes, order or thread.</summary>
    public static SceneSetup Draw(ulong seed, int index)
    {
        var random = new RandomStream(seed, RandomPurpose.Scene, sample: index);
        var objects = new PlacedObject[SceneTargets.MinimumCount + random.NextInt(SceneTargets.MaximumCount - SceneTargets.MinimumCount + 1)];
        var camera = new SceneCamera(SceneCamera.Home + Jitter(ref random, CameraJitter));
        var lights = new StudioLights([Jitter(ref random, LightJitter), Jitter(ref random, LightJitter), Jitter(ref random, LightJitter)]);
        var directions = camera.Directions;
        while (!(TryPlace(ref random, directions, objects) && SceneVisibility.AllShow(camera, objects)))
        {
        }

        return new(camera, lights, objects);
    }

    /// <summary>CLEVR's radius of a size.</summary>
    public static float RadiusOf(SceneSize size) => size == SceneSize.Large ? 0.7f : 0.35f;

    private static bool TryPlace(ref RandomStream random, SceneDirections directions, PlacedObject[] objects)
    {
        for (var i = 0; i < objects.Length; i++)
        {
            var size = (SceneSize)random.NextInt(2);
            var tries = 0;
            Vector3 place;
            do
            {
                if (tries++ == TriesPerObject) return false;
                place = new((float)random.NextDouble(-Extent, Extent), (float)random.NextDouble(-Extent, Extent), 0);
            }
            while (!IsFree(place, RadiusOf(size), directions, objects.AsSpan(0, i)));

            var shape = (SceneShape)random.NextInt(3);
            // A cube of side sqrt(2) r stands inside the cylinder of radius r that was kept free for it.
            var half = RadiusOf(size) * (shape == SceneShape.Cube ? MathF.Sqrt(0.5f) : 1);
            var rotation = (float)random.NextDouble(0, 360);
            var solid = new Solid(shape, place with { Z = half }, half, rotation * (MathF.PI / 180));
            objects[i] = new(size, (SceneMaterial)random.NextInt(2), (SceneColor)random.NextInt(8), rotation, solid);
        }

        return true;
    }

    private static bool IsFree(Vector3 place, float radius, SceneDirections directions, ReadOnlySpan<PlacedObject> others)
    {
        foreach (ref readonly var other in others)
        {
            var apart = (place - other.Solid.Center) with { Z = 0 };
            if (apart.Length() < radius + RadiusOf(other.Size) + Gap) return false;
            if (MathF.Abs(Vector3.Dot(apart, directions.Left)) < Margin || MathF.Abs(Vector3.Dot(apart, directions.Behind)) < Margin) return false;
        }

        return true;
    }

    private static Vector3 Jitter(ref RandomStream random, double reach) => new(
        (float)random.NextDouble(-reach, reach), (float)random.NextDouble(-reach, reach), (float)random.NextDouble(-reach, reach));
}
