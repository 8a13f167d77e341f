using System.Numerics;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Data.Sources.Scenes.Rendering;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources.Scenes;

public sealed class SolidTests
{
    // The oracle knows only what is inside a solid, written without any of the code under test, and marches along the ray in small steps.
    private const float Step = 0.002f;

    [Theory]
    [InlineData(SceneShape.Sphere)]
    [InlineData(SceneShape.Cube)]
    [InlineData(SceneShape.Cylinder)]
    public void Intersect_RandomRays_AgreesWithMarchingThroughTheSolid(SceneShape shape)
    {
        var random = new RandomStream(5, RandomPurpose.Scene);
        var hits = 0;
        for (var trial = 0; trial < 400; trial++)
        {
            var (center, half, turn) = (Random(ref random, 2), 0.3f + (0.5f * (float)random.NextDouble()), (float)random.NextDouble(0, 6.28));
            var solid = new Solid(shape, center, half, turn);
            var origin = center + (3 * Vector3.Normalize(Random(ref random, 1)));
            var ray = Vector3.Normalize(center + Random(ref random, 1.2f * half) - origin);
            var expected = float.PositiveInfinity;
            for (var t = 0f; t < 6 && expected > t; t += Step)
            {
                if (IsInside(shape, origin + (t * ray) - center, half, turn)) expected = t;
            }

            var found = solid.Intersect(origin, ray);
            if (float.IsInfinity(expected))
            {
                // The march may step over a corner that the ray only grazes.
                if (!float.IsInfinity(found)) Assert.False(IsInside(shape, origin + ((found + Step) * ray) - center, half, turn));
                continue;
            }

            hits++;
            Assert.InRange(found, expected - Step - 1e-4f, expected + 1e-4f);
            var entry = origin + (found * ray);
            Assert.Equal(0, solid.SignedDistance(solid.ToLocal(entry - center)), 3e-5f);
            Assert.True(Vector3.Dot(solid.Normal(entry), ray) < 0.45f);
            Assert.Equal(1, solid.Normal(entry).Length(), 1e-4f);
        }

        Assert.InRange(hits, 150, 400);
    }

    [Theory]
    [InlineData(SceneShape.Sphere)]
    [InlineData(SceneShape.Cube)]
    [InlineData(SceneShape.Cylinder)]
    public void SignedDistance_RandomPoints_HasTheSignOfInsideAndUnitSlope(SceneShape shape)
    {
        var random = new RandomStream(6, RandomPurpose.Scene);
        var solid = new Solid(shape, Vector3.Zero, 0.7f, 0);
        for (var trial = 0; trial < 1000; trial++)
        {
            var point = Random(ref random, 1.5f);
            var distance = solid.SignedDistance(point);
            Assert.Equal(IsInside(shape, point, 0.7f, 0), distance < 0);
            // A distance changes by no more than the way gone.
            var step = Random(ref random, 0.1f);
            Assert.True(MathF.Abs(solid.SignedDistance(point + step) - distance) <= step.Length() + 1e-6f);
        }
    }

    [Theory]
    [InlineData(SceneShape.Sphere)]
    [InlineData(SceneShape.Cube)]
    [InlineData(SceneShape.Cylinder)]
    public void SoftShadow_AgainstManyRaysToTheLamp_IsCloseToTheShareThatArrives(SceneShape shape)
    {
        var random = new RandomStream(7, RandomPurpose.Scene);
        var solid = new Solid(shape, new(0, 0, 0.7f), 0.7f, 0.4f);
        var lamp = new Vector3(4, -2, 4);
        const float Radius = 0.5f;
        var (worst, total, partial) = (0.0, 0.0, 0);
        const int Points = 300;
        for (var trial = 0; trial < Points; trial++)
        {
            var point = new Vector3((float)random.NextDouble(-4, 1.5), (float)random.NextDouble(-1.5, 2.5), 0);
            if (solid.SignedDistance(solid.ToLocal(point - solid.Center)) < 0.02f) continue;
            var toLamp = Vector3.Normalize(lamp - point);
            var side = Vector3.Normalize(Vector3.Cross(toLamp, Vector3.UnitZ));
            var (seen, rays) = (0, 0);
            for (var i = 0; i < 400; i++)
            {
                // A sunflower of points on the round lamp.
                var (r, angle) = (Radius * MathF.Sqrt((i + 0.5f) / 400), i * 2.399963f);
                var aim = lamp + (r * MathF.Cos(angle) * side) + (r * MathF.Sin(angle) * Vector3.Cross(side, toLamp));
                rays++;
                if (float.IsInfinity(solid.Intersect(point, Vector3.Normalize(aim - point)))) seen++;
            }

            var expected = (double)seen / rays;
            if (seen > 0 && seen < rays) partial++;
            var found = SoftShadow.Visibility(solid, solid.Center - point, toLamp, Radius / (lamp - point).Length());
            worst = Math.Max(worst, Math.Abs(found - expected));
            total += Math.Abs(found - expected);
        }

        Assert.True(partial > 20);
        Assert.InRange(total / Points, 0, 0.02);
        Assert.InRange(worst, 0, 0.35);
    }

    private static bool IsInside(SceneShape shape, Vector3 offset, float half, float turn)
    {
        var (x, y) = ((offset.X * Math.Cos(-turn)) - (offset.Y * Math.Sin(-turn)), (offset.X * Math.Sin(-turn)) + (offset.Y * Math.Cos(-turn)));
        return shape switch
        {
            SceneShape.Sphere => (x * x) + (y * y) + (offset.Z * offset.Z) < half * half,
            SceneShape.Cube => Math.Abs(x) < half && Math.Abs(y) < half && Math.Abs(offset.Z) < half,
            _ => (x * x) + (y * y) < half * half && Math.Abs(offset.Z) < half,
        };
    }

    private static Vector3 Random(ref RandomStream random, float reach) =>
        new((float)random.NextDouble(-reach, reach), (float)random.NextDouble(-reach, reach), (float)random.NextDouble(-reach, reach));
}
