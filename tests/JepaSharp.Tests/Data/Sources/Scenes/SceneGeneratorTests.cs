using System.Numerics;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Data.Sources.Scenes.Rendering;

namespace JepaSharp.Tests.Data.Sources.Scenes;

public sealed class SceneGeneratorTests
{
    private const int Count = 400;
    private static readonly SceneSetup[] Drawn = [.. Enumerable.Range(0, Count).Select(i => SceneGenerator.Draw(11, i))];

    [Fact]
    public void Draw_ManyScenes_KeepsObjectsApartAndOnTheGround()
    {
        foreach (var setup in Drawn)
        {
            var directions = setup.Camera.Directions;
            for (var i = 0; i < setup.Objects.Length; i++)
            {
                var a = setup.Objects[i];
                Assert.Equal(a.Solid.Half, a.Solid.Center.Z);
                Assert.InRange(a.Solid.Center.X, -3, 3);
                Assert.InRange(a.Solid.Center.Y, -3, 3);
                for (var j = 0; j < i; j++)
                {
                    var b = setup.Objects[j];
                    var apart = new Vector2(a.Solid.Center.X - b.Solid.Center.X, a.Solid.Center.Y - b.Solid.Center.Y);
                    Assert.True(apart.Length() >= Radius(a) + Radius(b) + 0.25f - 1e-5f);
                    Assert.True(MathF.Abs((apart.X * directions.Left.X) + (apart.Y * directions.Left.Y)) >= 0.4f - 1e-5f);
                    Assert.True(MathF.Abs((apart.X * directions.Behind.X) + (apart.Y * directions.Behind.Y)) >= 0.4f - 1e-5f);
                }
            }
        }
    }

    [Fact]
    public void Draw_ManyScenes_ShowsEveryObjectInThePicture()
    {
        foreach (var setup in Drawn.Take(100))
        {
            for (var i = 0; i < setup.Objects.Length; i++)
            {
                // CLEVR's rule at CLEVR's size; the generator decides on a coarser grid, hence not the full 200.
                var pixels = SceneVisibility.CountVisible(setup.Camera, setup.Objects, i, 480, 320, int.MaxValue);
                Assert.True(pixels >= 130, $"only {pixels} pixels");
            }
        }
    }

    [Fact]
    public void Draw_ManyScenes_UsesEveryCountAndAttributeEvenly()
    {
        var objects = Drawn.SelectMany(setup => setup.Objects).ToArray();
        AssertEven(Drawn.Select(setup => setup.Objects.Length), 8, 0.5);
        AssertEven(objects.Select(item => item.Solid.Shape), 3, 0.15);
        AssertEven(objects.Select(item => item.Material), 2, 0.1);
        AssertEven(objects.Select(item => item.Color), 8, 0.25);
        // Small objects are hidden more often and large ones find less room, so sizes are even only roughly.
        AssertEven(objects.Select(item => item.Size), 2, 0.4);
    }

    [Fact]
    public void Draw_ManyScenes_HasTheDepthsOfClevr()
    {
        var classes = Drawn.Select(setup => SceneTargets.NearestDistanceClass(setup.Annotate(480, 320, 0, "", ""))).ToArray();
        var depths = Drawn.SelectMany(setup => setup.Annotate(480, 320, 0, "", "").Objects).Select(item => item.Pixel.Depth).ToArray();
        Assert.InRange(depths.Min(), 6.5f, 8.2f);
        Assert.InRange(depths.Max(), 13, 15.6f);
        // Each of VTAB's six bins holds a fair share, as it does on CLEVR.
        for (var bin = 0; bin < 6; bin++) Assert.InRange(classes.Count(found => found == bin), Count * 0.05, Count * 0.4);
    }

    [Fact]
    public void Draw_AnotherSeedOrIndex_GivesAnotherScene()
    {
        Assert.NotEqual(Drawn[3].Objects[0].Solid.Center, SceneGenerator.Draw(12, 3).Objects[0].Solid.Center);
        Assert.NotEqual(Drawn[3].Objects[0].Solid.Center, Drawn[4].Objects[0].Solid.Center);
        Assert.Equal(Drawn[3].Objects[0].Solid.Center, SceneGenerator.Draw(11, 3).Objects[0].Solid.Center);
    }

    private static float Radius(PlacedObject item) => item.Size == SceneSize.Large ? 0.7f : 0.35f;

    private static void AssertEven<T>(IEnumerable<T> values, int kinds, double tolerance)
        where T : notnull
    {
        var counts = values.CountBy(value => value).ToDictionary();
        var fair = counts.Values.Sum() / (double)kinds;
        Assert.Equal(kinds, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, fair * (1 - tolerance), fair * (1 + tolerance)));
    }
}
