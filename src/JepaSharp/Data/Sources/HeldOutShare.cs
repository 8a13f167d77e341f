using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>One side of a split that depends on nothing but the images' names: the same on every machine, in any order, and for an image
/// alone.</summary>
/// <remarks>
/// An image is held out when the first eight bytes of the SHA-256 of its name (UTF-8, as <see cref="ImageSource.NameOf"/> gives it), read as a
/// big-endian number, lie below share * 2^64. Adding images moves none of the others to the other side, and a larger share holds out the images
/// of a smaller one and more. A part of a part (<see cref="OfPart"/>) goes by the next eight bytes: by the
/// same ones it would be all of it, or nothing.
/// </remarks>
public sealed class HeldOutShare : SourceView
{
    private const decimal Whole = 18446744073709551616m;
    private const int MostParts = SHA256.HashSizeInBytes / sizeof(ulong);

    /// <summary>One side of a source; owns the source.</summary>
    /// <param name="source">The whole collection.</param>
    /// <param name="share">Share to hold out, above 0 and below 1.</param>
    /// <param name="heldOut">True for the images held out, false for the others.</param>
    /// <exception cref="JepaException">The share is out of range, or this side would be empty.</exception>
    public HeldOutShare(ImageSource source, decimal share, bool heldOut)
        : this(source, share, heldOut, part: 0)
    {
    }

    private HeldOutShare(ImageSource source, decimal share, bool heldOut, int part)
        : base(source, Choose(source, share, heldOut, part)) => SplitsByName = part + 1;

    /// <summary>One side of a source that may be one side of a split by name itself, to which this one has no relation.</summary>
    /// <inheritdoc cref="HeldOutShare(ImageSource, decimal, bool)"/>
    internal static HeldOutShare OfPart(ImageSource source, decimal share, bool heldOut) => source.SplitsByName < MostParts
        ? new(source, share, heldOut, source.SplitsByName)
        : throw new JepaException(
            $"{source.Description} was split by name {source.SplitsByName} times already. Expected {MostParts} splits at most.", isUsage: true);

    /// <inheritdoc/>
    internal override int SplitsByName { get; }

    /// <summary>Whether an image of this name is held out.</summary>
    /// <param name="name">The image's name.</param>
    /// <param name="share">Share to hold out, 0 to 1.</param>
    public static bool IsHeldOut(string name, decimal share) => IsHeldOut(name, share, 0);

    private static bool IsHeldOut(string name, decimal share, int part)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash[(part * sizeof(ulong))..]) < share * Whole;
    }

    private static int[] Choose(ImageSource source, decimal share, bool heldOut, int part)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (share is <= 0 or >= 1)
            throw new JepaException($"The share of images to hold out is {share}. Expected more than 0 and less than 1, such as 0.1.", isUsage: true);
        int[] chosen = [.. Enumerable.Range(0, source.Count).Where(i => IsHeldOut(source.NameOf(i), share, part) == heldOut)];
        return chosen.Length > 0
            ? chosen
            : throw new JepaException(
                $"Of the {source.Count:N0} images in {source.Description} a share of {share} held out leaves none on the side asked for. Choose "
                    + $"another share.", isUsage: true);
    }
}
