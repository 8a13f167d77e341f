using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace JepaSharp.Weights;

/// <summary>Reads a pickle's bytes from the front, refusing to go past the end.</summary>
internal ref struct PickleStream(string file, ReadOnlySpan<byte> bytes)
{
    private const int LongestName = 1000;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);
    private readonly string _file = file;
    private ReadOnlySpan<byte> _rest = bytes;

    public byte Byte() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public double Double() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    /// <summary>A two's complement, little-endian integer: a long if it fits, else a BigInteger.</summary>
    public object Integer(ulong length)
    {
        if (length > byte.MaxValue) throw Refuse($"an integer of {length} bytes", "at most 255");
        var value = new BigInteger(Take(length));
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    public string Utf8(ulong length)
    {
        try
        {
            return StrictUtf8.GetString(Take(length));
        }
        catch (DecoderFallbackException e)
        {
            throw new WeightsFileException(_file, "a text that is not UTF-8 in its pickle", "a sound pickle", e);
        }
    }

    public string Latin1(ulong length) => Encoding.Latin1.GetString(Take(length));

    /// <summary>Up to the next line feed: the form in which GLOBAL names a module and an attribute.</summary>
    public string Line()
    {
        var length = _rest[..Math.Min(_rest.Length, LongestName)].IndexOf((byte)'\n');
        if (length < 0) throw Refuse($"a global name without end within {LongestName} bytes", "a sound pickle");
        var line = Latin1((ulong)length);
        Take(1);
        return line;
    }

    public ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length)
            throw Refuse($"{_rest.Length} bytes left in its pickle where {length} were due", "a whole one: it is cut short or damaged");
        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    private readonly WeightsFileException Refuse(string found, string expected) => new(_file, found, expected);
}
