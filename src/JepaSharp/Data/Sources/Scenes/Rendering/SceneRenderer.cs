using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>Casts rays through every pixel: one where a single smooth face fills the pixel, a grid of them at edges and on metal.</summary>
internal static class SceneRenderer
{
    private const int EdgeGrid = 4, MetalGrid = 2, MetalShades = 4;

    /// <summary>A picture of a scene.</summary>
    /// <param name="setup">The scene.</param>
    /// <param name="width">W in pixels.</param>
    /// <param name="height">H in pixels.</param>
    public static RgbImage Render(SceneSetup setup, int width, int height)
    {
        var image = new RgbImage(width, height);
        var caster = new RayCaster(setup, width, height);
        // Faces at the corners of the pixels of this row: a pixel whose corners and centre agree is taken to lie inside one face.
        var (above, below) = (new int[width + 1], new int[width + 1]);
        caster.EnterRow(0, 1);
        for (var x = 0; x <= width; x++) above[x] = caster.FaceAt(x, 0);
        for (var y = 0; y < height; y++)
        {
            var row = image.Row(y);
            caster.EnterRow(y, y + 1);
            for (var x = 0; x <= width; x++) below[x] = caster.FaceAt(x, y + 1);
            for (var x = 0; x < width; x++)
            {
                var center = caster.Cast(x + 0.5f, y + 0.5f);
                var inside = center.Face == above[x] && center.Face == above[x + 1] && center.Face == below[x] && center.Face == below[x + 1];
                var color = !inside ? Average(setup, caster, x, y, EdgeGrid)
                    : IsMetal(setup, center.Hit) ? Average(setup, caster, x, y, MetalGrid)
                    : Color(setup, center);
                row[3 * x] = ScenePalette.ToByte(color.X);
                row[(3 * x) + 1] = ScenePalette.ToByte(color.Y);
                row[(3 * x) + 2] = ScenePalette.ToByte(color.Z);
            }

            (above, below) = (below, above);
        }

        return image;
    }

    // Coverage comes from all samples, colour from the first few on each face: shading varies little within a pixel's share of one
    // face, reflections vary more.
    private static Vector3 Average(SceneSetup setup, in RayCaster caster, int x, int y, int grid)
    {
        Span<FaceShare> shares = stackalloc FaceShare[grid * grid];
        var faces = 0;
        for (var k = 0; k < grid * grid; k++)
        {
            // Bit-interleaved order, so that the first four samples lie in the four quarters of the pixel.
            var (i, j) = grid == EdgeGrid ? ((2 * (k & 1)) + ((k >> 2) & 1), (k & 2) + ((k >> 3) & 1)) : (k & 1, k >> 1);
            var sample = caster.Cast(x + ((i + 0.5f) / grid), y + ((j + 0.5f) / grid));
            var f = 0;
            while (f < faces && shares[f].Face != sample.Face) f++;
            if (f == faces) shares[faces++] = new() { Face = sample.Face };
            ref var share = ref shares[f];
            share.Samples++;
            if (share.Shaded == (IsMetal(setup, sample.Hit) ? MetalShades : 1)) continue;
            share.Color += Color(setup, sample);
            share.Shaded++;
        }

        var mean = Vector3.Zero;
        foreach (ref readonly var share in shares[..faces]) mean += share.Color * ((float)share.Samples / share.Shaded);
        return mean / (grid * grid);
    }

    private static bool IsMetal(SceneSetup setup, int hit) => hit >= 0 && setup.Objects[hit].Material == SceneMaterial.Metal;

    // Clipped to white, so that one bright reflection does not fill a pixel.
    private static Vector3 Color(SceneSetup setup, in CameraSample sample) =>
        Vector3.Clamp(new SceneShader(setup).Shade(setup.Camera.Position, sample.Ray, sample.Hit, sample.Distance), Vector3.Zero, Vector3.One);

    private struct FaceShare
    {
        public int Face, Samples, Shaded;
        public Vector3 Color;
    }
}

/// <summary>CLEVR's colours, and the way between linear light and bytes.</summary>
internal static class ScenePalette
{
    private const int Levels = 4096;

    private static readonly Vector3[] Colors =
    [
        FromBytes(87, 87, 87), FromBytes(173, 35, 35), FromBytes(42, 75, 215), FromBytes(29, 105, 20),
        FromBytes(129, 74, 25), FromBytes(129, 38, 192), FromBytes(41, 208, 208), FromBytes(255, 238, 51),
    ];

    private static readonly byte[] Encoded = [.. Enumerable.Range(0, Levels).Select(level => Encode(level / (Levels - 1.0)))];

    /// <summary>Linear red, green and blue of a colour's name.</summary>
    public static Vector3 Linear(SceneColor color) => Colors[(int)color];

    /// <summary>The sRGB byte of a linear value; 1 and more is white.</summary>
    public static byte ToByte(float linear) => Encoded[(int)(Math.Clamp(linear, 0, 1) * (Levels - 1) + 0.5f)];

    private static Vector3 FromBytes(byte red, byte green, byte blue) => new(Decode(red), Decode(green), Decode(blue));

    // sRGB transfer function (IEC 61966-2-1).
    private static float Decode(byte value)
    {
        var v = value / 255.0;
        return (float)(v <= 0.04045 ? v / 12.92 : Math.Pow((v + 0.055) / 1.055, 2.4));
    }

    private static byte Encode(double linear) =>
        (byte)Math.Round(255 * (linear <= 0.0031308 ? 12.92 * linear : (1.055 * Math.Pow(linear, 1 / 2.4)) - 0.055));
}
