using System.Numerics;
using JepaSharp.Data;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Data.Sources.Scenes.Rendering;

namespace JepaSharp.Tests.Data.Sources.Scenes;

public sealed class SceneRendererTests
{
    [Fact]
    public void Camera_KnownPointOfClevr_FallsWhereClevrSays()
    {
        // A published annotation of CLEVR's generator at 320 x 240: this centre has pixel_coords 251, 95, 10.76. Its camera was moved by up
        // to half a unit on each axis, which is what the tolerances allow for.
        var pixel = new SceneCamera(SceneCamera.Home).Project(new(1.627432f, 2.2852376f, 0.7f), 320, 240);
        Assert.InRange(pixel.X, 241, 261);
        Assert.InRange(pixel.Y, 85, 105);
        Assert.InRange(pixel.Z, 10.2f, 11.3f);
    }

    [Theory]
    [InlineData(480, 320)]
    [InlineData(64, 64)]
    [InlineData(90, 200)]
    [InlineData(300, 60)]
    public void Camera_ProjectThenRay_PassesThroughThePoint(int width, int height)
    {
        var camera = new SceneCamera(SceneCamera.Home + new Vector3(0.3f, -0.4f, 0.2f));
        foreach (var point in new Vector3[] { new(0, 0, 0), new(-3, 3, 0.7f), new(3, -3, 0.35f), new(2.5f, 2.5f, 1) })
        {
            var pixel = camera.Project(point, width, height);
            var ray = camera.Ray(pixel.X, pixel.Y, width, height);
            Assert.InRange(pixel.X, 0, width);
            Assert.InRange(pixel.Y, 0, height);
            Assert.Equal(1, Vector3.Dot(ray, Vector3.Normalize(point - camera.Position)), 1e-5f);
            Assert.Equal(pixel.Z, Vector3.Dot(point - camera.Position, camera.Forward), 1e-4f);
        }
    }

    [Fact]
    public void Cast_AtAnUnhiddenCentre_MeetsThatObject()
    {
        var seen = 0;
        for (var i = 0; i < 40; i++)
        {
            var setup = SceneGenerator.Draw(3, i);
            var scene = setup.Annotate(480, 320, i, "", "");
            var caster = new RayCaster(setup, 480, 320);
            for (var k = 0; k < scene.Objects.Count; k++)
            {
                var pixel = scene.Objects[k].Pixel;
                caster.EnterRow(pixel.Y, pixel.Y);
                var sample = caster.Cast(pixel.X, pixel.Y);
                // Nothing but the object itself or one that stands nearer may be met at its centre.
                Assert.True(sample.Hit == k || (sample.Hit >= 0 && scene.Objects[sample.Hit].Pixel.Depth < pixel.Depth));
                if (sample.Hit == k) seen++;
            }
        }

        Assert.True(seen > 150);
    }

    [Fact]
    public void Cast_EverywhereInThePicture_MeetsWhatAskingEveryObjectMeets()
    {
        for (var i = 0; i < 20; i++)
        {
            var setup = SceneGenerator.Draw(4, i);
            var caster = new RayCaster(setup, 60, 40);
            for (var y = 0; y < 40; y++)
            {
                caster.EnterRow(y, y + 1);
                for (var x = 0; x < 60; x++)
                {
                    var sample = caster.Cast(x + 0.5f, y + 0.5f);
                    Assert.Equal(new SceneShader(setup).Trace(setup.Camera.Position, sample.Ray, skip: -9, out var distance), sample.Hit);
                    Assert.Equal(distance, sample.Distance);
                }
            }
        }
    }

    [Fact]
    public void Render_ColouredObject_ShowsItsColourLitAboveAndShadedBelow()
    {
        var solid = new Solid(SceneShape.Sphere, new(0, 0, 0.7f), 0.7f, 0);
        var still = new Vector3[3];
        SceneSetup Of(params PlacedObject[] objects) => new(new(SceneCamera.Home), new(still), objects);
        var red = SceneRenderer.Render(Of(new PlacedObject(SceneSize.Large, SceneMaterial.Rubber, SceneColor.Red, 0, solid)), 96, 64);
        var empty = SceneRenderer.Render(Of(), 96, 64);
        var pixel = new SceneCamera(SceneCamera.Home).Project(solid.Center, 96, 64);
        var (x, y, radius) = ((int)pixel.X, (int)pixel.Y, (int)(0.7f * SceneCamera.PixelsPerUnit(96, 64) / pixel.Z));
        byte[] At(RgbImage image, int column, int row) => image.Row(row).Slice(3 * column, 3).ToArray();

        var (upper, lower) = (At(red, x + 1, y - (radius / 2)), At(red, x, y + radius - 1));
        Assert.True(upper[0] > 2 * upper[1] && upper[0] > 2 * upper[2], "red is red");
        Assert.True(upper[0] > lower[0] + 40, "lit above, dark below");
        var darkest =
            Enumerable.Range(0, 96 * 64).Min(i => red.Pixels[3 * i] == red.Pixels[(3 * i) + 1] ? red.Pixels[3 * i] - empty.Pixels[3 * i] : 0);
        Assert.True(darkest < -25, "a shadow on the ground");
        Assert.InRange(At(empty, 48, 40)[0], 110, 230);
    }

    [Fact]
    public void Render_TwiceTheSize_IsTheSamePictureSharper()
    {
        var setup = SceneGenerator.Draw(8, 2);
        var (small, large) = (SceneRenderer.Render(setup, 48, 32), SceneRenderer.Render(setup, 96, 64));
        double difference = 0;
        for (var y = 0; y < 32; y++)
        {
            for (var i = 0; i < 144; i++)
            {
                var at = (6 * (i / 3)) + (i % 3);
                var mean = (large.Row(2 * y)[at] + large.Row(2 * y)[at + 3] + large.Row((2 * y) + 1)[at] + large.Row((2 * y) + 1)[at + 3]) / 4.0;
                difference += Math.Abs(mean - small.Row(y)[i]);
            }
        }

        Assert.InRange(difference / (32 * 144), 0, 1.5);
    }
}
