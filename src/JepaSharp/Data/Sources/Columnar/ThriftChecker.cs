namespace JepaSharp.Data.Sources.Columnar;

/// <summary>Looks through a structure of a Parquet file before the library does: a few hostile bytes could make it allocate gigabytes.</summary>
/// <remarks>
/// Footers and page headers are structures in Thrift's compact protocol (Apache Thrift, doc/specs/thrift-compact-protocol.md). Every length must be
/// covered by bytes that follow: a list of n elements takes at least n bytes, a text of n bytes exactly n. And every field must have the type that
/// the format gives it (<see cref="ParquetLayout"/>), because the library reads what it expects there, whatever the file says it is. What the format
/// does not know may be passed over where that is simple; a structure with content is refused, because the library does not pass over it as it
/// should.
/// </remarks>
internal ref struct ThriftChecker
{
    private const int DeepestNesting = 32, MostFields = 1000;
    private const int LongCount = 15;
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly Dictionary<(ParquetStructure, int), long>? _numbers;
    private int _at;

    private ThriftChecker(ReadOnlySpan<byte> bytes, Dictionary<(ParquetStructure, int), long>? numbers)
    {
        _bytes = bytes;
        _numbers = numbers;
    }

    /// <summary>Refuses bytes that do not begin with a sound structure.</summary>
    /// <param name="bytes">The structure, and what follows it.</param>
    /// <param name="structure">Which it is.</param>
    /// <param name="numbers">Gets the whole numbers in it by structure and field, where they are wanted.</param>
    /// <returns>Bytes that the structure takes.</returns>
    /// <exception cref="EndOfStreamException">It claims more than there is.</exception>
    /// <exception cref="InvalidDataException">It is not what it has to be.</exception>
    public static int Check(ReadOnlySpan<byte> bytes, ParquetStructure structure, Dictionary<(ParquetStructure, int), long>? numbers = null)
    {
        var checker = new ThriftChecker(bytes, numbers);
        checker.Structure(structure, 0);
        return checker._at;
    }

    private void Structure(ParquetStructure structure, int depth)
    {
        if (depth > DeepestNesting) throw new InvalidDataException("It is nested too deep.");
        var id = 0L;
        while (Byte() is not 0 and var header)
        {
            id = header >> 4 == 0 ? Whole() : id + (header >> 4);
            if (id is < 1 or > MostFields) throw new InvalidDataException($"It holds a field {id}.");
            var type = TypeOf(header & 15);
            var expected = ParquetLayout.Field(structure, id);
            if (expected is { } known && known.Type != type) throw new InvalidDataException($"It holds a {type} where a {known.Type} has to be.");
            if (structure == ParquetStructure.Empty) throw new InvalidDataException("It holds a structure with content where none is known.");
            if (type == ThriftType.Truth) continue; // its value lies in its type
            var whole = Value(type, expected, depth);
            if (type == ThriftType.Whole) _numbers?[(structure, (int)id)] = whole;
        }
    }

    /// <summary>Passes over a value; the number where it is a whole one.</summary>
    private long Value(ThriftType type, ParquetField? expected, int depth)
    {
        switch (type)
        {
            case ThriftType.Byte: Skip(1); break;
            case ThriftType.Whole: return Whole();
            case ThriftType.Real when expected is not null: Skip(sizeof(double)); break;
            case ThriftType.Text: Skip(Number()); break;
            case ThriftType.Structure: Structure(expected?.Structure ?? ParquetStructure.Empty, depth + 1); break;
            case ThriftType.List: List(expected, depth); break;
            default: throw new InvalidDataException($"It holds a {type} where none is known.");
        }

        return 0;
    }

    private void List(ParquetField? expected, int depth)
    {
        if (depth > DeepestNesting) throw new InvalidDataException("It is nested too deep.");
        var header = Byte();
        var count = header >> 4 == LongCount ? Number() : (ulong)(header >> 4);
        if (count == 0) return;
        var type = TypeOf(header & 15);
        if (expected is { } known && known.Element != type)
            throw new InvalidDataException($"It holds a list of {type} where one of {known.Element} has to be.");
        Require(count);
        for (var i = 0UL; i < count; i++) _ = Value(type, expected is { } e ? new ParquetField(type, e.Structure) : null, depth + 1);
    }

    private static ThriftType TypeOf(int code) => code switch
    {
        1 or 2 => ThriftType.Truth,
        3 => ThriftType.Byte,
        4 or 5 or 6 => ThriftType.Whole,
        7 => ThriftType.Real,
        8 => ThriftType.Text,
        9 => ThriftType.List,
        12 => ThriftType.Structure,
        _ => throw new InvalidDataException($"It holds a value of type {code}, which Parquet does not use."),
    };

    private long Whole()
    {
        var number = Number();
        return (long)(number >> 1) ^ -(long)(number & 1);
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

        throw new InvalidDataException("It holds a number without end.");
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
        if (count > (ulong)(_bytes.Length - _at)) throw new EndOfStreamException("It claims more than there is.");
    }
}
