using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>Which objects can be seen: counting is only meaningful when every object shows.</summary>
/// <remarks>Decided on a coarse grid over CLEVR's own frame, so that the scenes of a seed do not depend on the picture's size.</remarks>
internal static class SceneVisibility
{
    // CLEVR asks for 200 of its 480 x 320 pixels. A sixteenth of the pixels needs a sixteenth of the count.
    private const int Width = 120, Height = 80, LeastPixels = 13;

    /// <summary>Whether every object shows at least as much of itself as CLEVR asks for.</summary>
    public static bool AllShow(in SceneCamera camera, ReadOnlySpan<PlacedObject> objects)
    {
        for (var i = 0; i < objects.Length; i++)
        {
            if (CountVisible(camera, objects, i, Width, Height, LeastPixels) < LeastPixels) return false;
        }

        return true;
    }

    /// <summary>Pixels whose centre shows object <paramref name="index"/>, counted up to <paramref name="enough"/>.</summary>
    public static int CountVisible(in SceneCamera camera, ReadOnlySpan<PlacedObject> objects, int index, int width, int height, int enough)
    {
        ref readonly var solid = ref objects[index].Solid;
        var bounds = camera.Bounds(solid.Center, solid.Bound, width, height);
        var count = 0;
        for (var y = Math.Max(0, (int)bounds.Y); y < Math.Min(height, bounds.W) && count < enough; y++)
        {
            for (var x = Math.Max(0, (int)bounds.X); x < Math.Min(width, bounds.Z) && count < enough; x++)
            {
                var ray = camera.Ray(x + 0.5f, y + 0.5f, width, height);
                var distance = solid.Intersect(camera.Position, ray);
                if (distance < float.PositiveInfinity && !IsHidden(camera.Position, ray, distance, objects, index)) count++;
            }
        }

        return count;
    }

    private static bool IsHidden(Vector3 eye, Vector3 ray, float distance, ReadOnlySpan<PlacedObject> objects, int index)
    {
        for (var i = 0; i < objects.Length; i++)
        {
            if (i != index && objects[i].Solid.Intersect(eye, ray) < distance) return true;
        }

        return false;
    }
}
