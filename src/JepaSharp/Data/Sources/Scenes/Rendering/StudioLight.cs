using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>A square lamp that faces the origin.</summary>
/// <param name="Position">Its centre.</param>
/// <param name="Half">Half its side: the larger, the softer the shadows.</param>
/// <param name="Power">What a surface that faces it receives when it stands as far away as the lamp's home is from the origin.</param>
/// <param name="HomeDistance">Distance of the lamp's home from the origin.</param>
internal readonly record struct StudioLight(Vector3 Position, float Half, float Power, float HomeDistance)
{
    /// <summary>CLEVR's three-point lighting: key, fill and back lamp, before jitter.</summary>
    public static readonly StudioLight[] Home =
    [
        At(new(6.44671f, -2.90517f, 4.2584f), half: 0.45f, power: 1.35f),
        At(new(-4.67112f, -4.0136f, 3.01122f), half: 0.9f, power: 0.27f),
        At(new(-1.1685f, 2.64602f, 5.81574f), half: 0.6f, power: 0.42f),
    ];

    /// <summary>The lamp moved by an offset.</summary>
    public StudioLight Moved(Vector3 offset) => this with { Position = Position + offset };

    private static StudioLight At(Vector3 position, float half, float power) => new(position, half, power, position.Length());
}
