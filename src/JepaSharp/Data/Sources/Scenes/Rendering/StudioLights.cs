using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>CLEVR's three-point lighting: key, fill and back lamp, square and facing the origin. One lamp a lane; the fourth lane is dark.</summary>
internal readonly struct StudioLights
{
    public const int Count = 3;

    private static readonly Vector3[] Home =
        [new(6.44671f, -2.90517f, 4.2584f), new(-4.67112f, -4.0136f, 3.01122f), new(-1.1685f, 2.64602f, 5.81574f)];
    private static readonly float[] HomePower = [1.15f, 0.42f, 0.62f];
    private static readonly float[] HalfSide = [0.45f, 0.9f, 0.6f];

    /// <param name="jitter">Offset of each lamp from its home.</param>
    public StudioLights(ReadOnlySpan<Vector3> jitter)
    {
        // The dark lane stands far above everything, so that its arithmetic stays finite.
        (X, Y, Z, Half) = (Vector4.Zero, Vector4.Zero, new(100), Vector4.Zero);
        for (var i = 0; i < Count; i++)
        {
            var position = Home[i] + jitter[i];
            (X[i], Y[i], Z[i]) = (position.X, position.Y, position.Z);
            Half[i] = HalfSide[i];
            Power[i] = HomePower[i] * Home[i].Length();
        }
    }

    /// <summary>Positions.</summary>
    public readonly Vector4 X, Y, Z;

    /// <summary>Half the side: the larger, the softer the shadows.</summary>
    public readonly Vector4 Half;

    /// <summary>What a surface that faces the lamp receives at distance 1; it falls off with the distance, as tuned by eye.</summary>
    public readonly Vector4 Power;

    /// <summary>Centre of one lamp.</summary>
    public Vector3 Position(int lamp) => new(X[lamp], Y[lamp], Z[lamp]);
}

/// <summary>The lamps as one point of a surface sees them.</summary>
internal struct LampViews
{
    /// <param name="lights">The lamps.</param>
    /// <param name="point">A point of a surface.</param>
    /// <param name="normal">Its unit normal.</param>
    public LampViews(in StudioLights lights, Vector3 point, Vector3 normal)
    {
        var (x, y, z) = (lights.X - new Vector4(point.X), lights.Y - new Vector4(point.Y), lights.Z - new Vector4(point.Z));
        var nearness = Vector4.One / Vector4.SquareRoot((x * x) + (y * y) + (z * z));
        (X, Y, Z) = (x * nearness, y * nearness, z * nearness);
        Spread = lights.Half * nearness;
        Facing = Vector4.Max(Vector4.Zero, (X * normal.X) + (Y * normal.Y) + (Z * normal.Z));
        Power = lights.Power * nearness;
    }

    /// <summary>Unit directions towards the lamps.</summary>
    public readonly Vector4 X, Y, Z;

    /// <summary>Tangents of the lamps' angular radii.</summary>
    public readonly Vector4 Spread;

    /// <summary>Cosines between normal and direction, 0 for a lamp behind the surface.</summary>
    public readonly Vector4 Facing;

    /// <summary>What arrives from each lamp; shadows take away from it.</summary>
    public Vector4 Power;

    /// <summary>Takes away what one solid hides.</summary>
    /// <param name="solid">What may stand in the way.</param>
    /// <param name="offset">From the point to the solid's centre.</param>
    /// <param name="squared">Squared length of <paramref name="offset"/>.</param>
    public void Shadow(in Solid solid, Vector3 offset, float squared)
    {
        // Does the solid's bounding sphere reach into the cone from the point to the lamp?
        var along = (X * offset.X) + (Y * offset.Y) + (Z * offset.Z);
        var ahead = along + new Vector4(solid.Bound);
        var reach = new Vector4(solid.Bound) + (ahead * Spread);
        var inside = Vector4.Min(ahead, (reach * reach) + (along * along) - new Vector4(squared));
        for (var i = 0; i < StudioLights.Count; i++)
        {
            if (inside[i] > 0 && Facing[i] > 0 && Power[i] > 0)
                Power[i] *= SoftShadow.Visibility(solid, offset, new(X[i], Y[i], Z[i]), Spread[i]);
        }
    }

    /// <summary>The lamps' broad highlight on a matte surface (Blinn and Phong, exponent 32).</summary>
    /// <param name="normal">The surface's unit normal.</param>
    /// <param name="view">Unit direction of the ray that met the surface.</param>
    public readonly float Gloss(Vector3 normal, Vector3 view)
    {
        var (x, y, z) = (X - new Vector4(view.X), Y - new Vector4(view.Y), Z - new Vector4(view.Z));
        var shine = ((x * normal.X) + (y * normal.Y) + (z * normal.Z)) / Vector4.SquareRoot((x * x) + (y * y) + (z * z) + new Vector4(1e-6f));
        shine = Vector4.Max(Vector4.Zero, shine);
        for (var i = 0; i < 5; i++) shine *= shine;
        return Vector4.Dot(shine, Power * Vector4.Min(Vector4.One, Facing * 1e6f));
    }
}
