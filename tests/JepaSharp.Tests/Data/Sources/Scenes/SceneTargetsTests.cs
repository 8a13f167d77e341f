using System.Numerics;
using JepaSharp.Data.Sources.Scenes;

namespace JepaSharp.Tests.Data.Sources.Scenes;

public sealed class SceneTargetsTests
{
    [Theory]
    [InlineData(7.2f, 0)]
    [InlineData(8f, 0)]
    [InlineData(8.01f, 1)]
    [InlineData(8.5f, 1)]
    [InlineData(8.75f, 2)]
    [InlineData(9.25f, 3)]
    [InlineData(9.5f, 3)]
    [InlineData(9.99f, 4)]
    [InlineData(10f, 4)]
    [InlineData(10.01f, 5)]
    [InlineData(14f, 5)]
    public void NearestDistanceClass_AtAndBetweenThresholds_IsTheLastOneStrictlyBelow(float nearest, int expected)
    {
        var scene = SceneOf(nearest + 2, nearest, nearest + 1);
        Assert.Equal(nearest, SceneTargets.NearestDistance(scene));
        Assert.Equal(expected, SceneTargets.NearestDistanceClass(scene));
        Assert.Equal(6, SceneTargets.NearestDistanceClasses.Count);
    }

    [Fact]
    public void CountClass_OfThreeToTen_IsNoughtToSeven()
    {
        for (var count = 3; count <= 10; count++)
        {
            var label = SceneTargets.CountClass(SceneOf(new float[count]));
            Assert.Equal(count - 3, label);
            Assert.Equal($"{count}", SceneTargets.CountClasses[label]);
        }

        Assert.Equal(8, SceneTargets.CountClasses.Count);
        Assert.Throws<ArgumentException>(() => SceneTargets.CountClass(SceneOf(1, 2)));
        Assert.Throws<ArgumentException>(() => SceneTargets.NearestDistance(SceneOf()));
    }

    private static Scene SceneOf(params float[] depths) => new(0, "a.png", "new", null, [.. depths.Select(depth => new SceneObject(
        SceneShape.Cube, SceneSize.Small, SceneMaterial.Metal, SceneColor.Red, Vector3.Zero, new(0, 0, depth), 0))]);
}
