using System.Buffers.Binary;

namespace JepaSharp.Tests.Data;

/// <summary>An uncompressed little-endian TIFF put together tag by tag, whose samples are therefore known.</summary>
internal sealed record MadeTiff(int Width, int Height)
{
    public int Bits { get; init; } = 8;

    /// <summary>1 unsigned, 2 signed, 3 float.</summary>
    public int SampleFormat { get; init; } = 1;

    /// <summary>0 white is least, 1 black is least, 2 RGB, 3 palette, 5 CMYK, 6 YCbCr, 8 L*a*b*.</summary>
    public int Photometric { get; init; } = 1;

    public int Channels { get; init; } = 1;

    public int[] Extra { get; init; } = [];

    public int Orientation { get; init; } = 1;

    public int Compression { get; init; } = 1;

    public int[] Palette { get; init; } = [];

    public byte[] Write(byte[] samples)
    {
        var tags = new SortedDictionary<int, int[]>
        {
            [256] = [Width],
            [257] = [Height],
            [258] = [.. Enumerable.Repeat(Bits, Channels)],
            [259] = [Compression],
            [262] = [Photometric],
            [273] = [8],
            [274] = [Orientation],
            [277] = [Channels],
            [278] = [Height],
            [279] = [samples.Length],
            [339] = [.. Enumerable.Repeat(SampleFormat, Channels)],
        };
        if (Extra.Length > 0) tags[338] = Extra;
        if (Palette.Length > 0) tags[320] = Palette;
        var directory = 8 + samples.Length + (samples.Length & 1);
        var rest = directory + 2 + (12 * tags.Count) + 4;
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write("II*\0"u8);
        writer.Write(directory);
        writer.Write(samples);
        if (samples.Length % 2 == 1) writer.Write((byte)0);
        writer.Write((ushort)tags.Count);
        var far = new List<byte>();
        foreach (var (tag, values) in tags)
        {
            var isLong = values.Any(v => v > ushort.MaxValue);
            var bytes = values.SelectMany(v => isLong ? BitConverter.GetBytes(v) : BitConverter.GetBytes((ushort)v)).ToArray();
            writer.Write((ushort)tag);
            writer.Write((ushort)(isLong ? 4 : 3));
            writer.Write(values.Length);
            if (bytes.Length <= 4)
            {
                writer.Write([.. bytes, .. new byte[4 - bytes.Length]]);
                continue;
            }

            writer.Write(rest + far.Count);
            far.AddRange(bytes);
            if (bytes.Length % 2 == 1) far.Add(0);
        }

        writer.Write(0);
        writer.Write([.. far]);
        return file.ToArray();
    }

    public static byte[] Floats(IEnumerable<double> values) => [.. values.SelectMany(v => BitConverter.GetBytes((float)v))];

    public static byte[] Shorts(IEnumerable<int> values) => [.. values.SelectMany(v => BitConverter.GetBytes((ushort)v))];

    public static byte[] Longs(IEnumerable<long> values)
    {
        var bytes = new List<byte>();
        var four = new byte[4];
        foreach (var value in values)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(four, unchecked((uint)value));
            bytes.AddRange(four);
        }

        return [.. bytes];
    }
}
