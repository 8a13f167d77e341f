using JepaSharp.Data.Loading;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Packing;

/// <summary>How images are prepared for a pack.</summary>
public sealed record PackOptions
{
    /// <summary>Shorter side in pixels that larger images are reduced to, with antialiasing; smaller ones stay as they are. Null: none is resized.</summary>
    public int? ShorterSide { get; init; }

    /// <summary>Quality of the JPEGs that are stored, 1 to 100; null to store pixels as they are.</summary>
    public int? JpegQuality { get; init; }

    /// <summary>Threads that prepare images.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bound on what is held at a time, in units of 2^20 bytes; null for the process's, <see cref="DecodingBound"/>.</summary>
    public int? MemoryMegabytes { get; init; }

    /// <summary>What to do about an image that cannot be read: leave it out of the pack, or stop.</summary>
    public UnreadablePolicy OnUnreadable { get; init; } = UnreadablePolicy.Skip;

    /// <summary>With <see cref="UnreadablePolicy.Skip"/>, the share of unreadable images above which packing stops; four are always tolerated.</summary>
    public double MaxUnreadableShare { get; init; } = 0.01;

    /// <summary>Refuses what cannot be meant.</summary>
    /// <exception cref="JepaException">An option is out of range.</exception>
    public void Validate()
    {
        if (ShorterSide is < 1 or > 65536) throw new JepaException($"The shorter side is {ShorterSide} pixels. Expected 1 to 65,536.", isUsage: true);
        if (JpegQuality is < 1 or > 100) throw new JepaException($"The JPEG quality is {JpegQuality}. Expected 1 to 100.", isUsage: true);
        if (Threads < 1) throw new JepaException($"{Threads} threads: expected at least 1.", isUsage: true);
        if (MaxUnreadableShare is not (>= 0 and <= 1)) throw new JepaException($"The tolerated share of unreadable images is {MaxUnreadableShare}. Expected 0 to 1.", isUsage: true);
    }
}
