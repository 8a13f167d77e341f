using System.Buffers.Binary;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>Looks through a Parquet file's footer before the library does: a few hostile bytes could make it allocate gigabytes.</summary>
/// <remarks>
/// The footer is a structure in Thrift's compact protocol (Apache Thrift, doc/specs/thrift-compact-protocol.md). Every length in it must be covered by
/// bytes that follow: a list of n elements takes at least n bytes, a text of n bytes exactly n.
/// </remarks>
internal ref struct ParquetFooter
{
    private const int EndLength = 8, LongestFooter = 256 << 20, DeepestNesting = 32;
    private readonly ReadOnlySpan<byte> _bytes;
    private int _at;

    private ParquetFooter(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Refuses a file whose footer claims more than it holds.</summary>
    /// <exception cref="InvalidDataException">It does, or it is no Parquet file.</exception>
    public static void Check(Stream stream)
    {
        Span<byte> end = stackalloc byte[EndLength];
        if (stream.Length < 4 + EndLength) throw new InvalidDataException("It is too short.");
        stream.Position = stream.Length - EndLength;
        stream.ReadExactly(end);
        if (!end[4..].SequenceEqual("PAR1"u8)) throw new InvalidDataException("It does not end in PAR1.");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (length > LongestFooter || length > stream.Length - EndLength - 4) throw new InvalidDataException($"Its footer claims {length:N0} bytes.");
        var footer = new byte[length];
        stream.Position = stream.Length - EndLength - length;
        stream.ReadExactly(footer);
        stream.Position = 0;
        new ParquetFooter(footer).Structure(0);
    }

    private void Structure(int depth)
    {
        while (Byte() is not 0 and var header)
        {
            if (header >> 4 == 0) _ = Number(); // the field's number, where it is far from the one before
            Value(header & 15, depth, isField: true);
        }
    }

    private void Value(int type, int depth, bool isField)
    {
        if (depth > DeepestNesting) throw new InvalidDataException("Its footer is nested too deep.");
        switch (type)
        {
            case 1 or 2:
                if (!isField) Skip(1); // a field's truth value lies in its type
                break;
            case 3: Skip(1); break;
            case 4 or 5 or 6: _ = Number(); break;
            case 7: Skip(8); break;
            case 8: Skip(Number()); break;
            case 9 or 10: List(depth); break;
            case 11: Map(depth); break;
            case 12: Structure(depth + 1); break;
            case 13: Skip(16); break;
            default: throw new InvalidDataException($"Its footer holds a value of type {type}, which is none.");
        }
    }

    private void List(int depth)
    {
        var header = Byte();
        var count = header >> 4 == 15 ? Number() : (ulong)(header >> 4);
        Require(count);
        for (var i = 0UL; i < count; i++) Value(header & 15, depth + 1, isField: false);
    }

    private void Map(int depth)
    {
        var count = Number();
        if (count == 0) return;
        var types = Byte();
        Require(count);
        for (var i = 0UL; i < count; i++)
        {
            Value(types >> 4, depth + 1, isField: false);
            Value(types & 15, depth + 1, isField: false);
        }
    }

    private ulong Number()
    {
        var number = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = Byte();
            number |= (ulong)(part & 127) << shift;
            if (part < 128) return number;
        }

        throw new InvalidDataException("Its footer holds a number without end.");
    }

    private int Byte()
    {
        Require(1);
        return _bytes[_at++];
    }

    private void Skip(ulong count)
    {
        Require(count);
        _at += (int)count;
    }

    private readonly void Require(ulong count)
    {
        if (count > (ulong)(_bytes.Length - _at)) throw new InvalidDataException("Its footer claims more than it holds.");
    }
}
