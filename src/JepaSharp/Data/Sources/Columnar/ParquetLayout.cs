using System.Collections.Frozen;
using static JepaSharp.Data.Sources.Columnar.ThriftType;
using S = JepaSharp.Data.Sources.Columnar.ParquetStructure;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>Types of Thrift's compact protocol, whole numbers of all widths as one, that Parquet uses.</summary>
internal enum ThriftType
{
    Truth,
    Byte,
    Whole,
    Real,
    Text,
    List,
    Structure,
}

/// <summary>Structures of the Parquet format; those without fields are <see cref="Empty"/>.</summary>
internal enum ParquetStructure
{
    Empty,
    File,
    Element,
    Logical,
    Decimal,
    Unit,
    Time,
    Integer,
    Variant,
    Geometry,
    Group,
    Chunk,
    Column,
    Pair,
    Sorting,
    Encodings,
    Statistics,
    Sizes,
    Places,
    Box,
    Crypto,
    ColumnKey,
    Order,
    Encryption,
    Cipher,
    Page,
    DataPage,
    DictionaryPage,
    DataPageV2,
}

/// <summary>What a field has to be.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Structure">Which structure it is, or its elements are.</param>
/// <param name="Element">The type of its elements, where it is a list.</param>
internal readonly record struct ParquetField(
    ThriftType Type, ParquetStructure Structure = ParquetStructure.Empty, ThriftType Element = ThriftType.Structure);

/// <summary>The fields of the structures in a Parquet file, by number (Apache Parquet, parquet.thrift).</summary>
internal static class ParquetLayout
{
    private static readonly ParquetField Texts = new(List, Element: Text), Wholes = new(List, Element: Whole);

    private static readonly FrozenDictionary<S, ParquetField?[]> Fields = new Dictionary<S, ParquetField?[]>
    {
        [S.File] = Of(Whole, ListOf(S.Element), Whole, ListOf(S.Group), ListOf(S.Pair), Text, ListOf(S.Order), A(S.Encryption), Text),
        [S.Element] = Of(Whole, Whole, Whole, Text, Whole, Whole, Whole, Whole, Whole, A(S.Logical)),
        [S.Logical] = Of(A(S.Empty), A(S.Empty), A(S.Empty), A(S.Empty), A(S.Decimal), A(S.Empty), A(S.Time), A(S.Time), null, A(S.Integer),
            A(S.Empty), A(S.Empty), A(S.Empty), A(S.Empty), A(S.Empty), A(S.Variant), A(S.Geometry), A(S.Geometry)),
        [S.Decimal] = Of(Whole, Whole),
        [S.Unit] = Of(A(S.Empty), A(S.Empty), A(S.Empty)),
        [S.Time] = Of(Truth, A(S.Unit)),
        [S.Integer] = Of(ThriftType.Byte, Truth),
        [S.Variant] = Of(ThriftType.Byte),
        [S.Geometry] = Of(Text, Whole),
        [S.Group] = Of(ListOf(S.Chunk), Whole, Whole, ListOf(S.Sorting), Whole, Whole, Whole),
        [S.Chunk] = Of(Text, Whole, A(S.Column), Whole, Whole, Whole, Whole, A(S.Crypto), Text),
        [S.Column] = Of(Whole, Wholes, Texts, Whole, Whole, Whole, Whole, ListOf(S.Pair), Whole, Whole, Whole, A(S.Statistics), ListOf(S.Encodings),
            Whole, Whole, A(S.Sizes), A(S.Places)),
        [S.Pair] = Of(Text, Text),
        [S.Sorting] = Of(Whole, Truth, Truth),
        [S.Encodings] = Of(Whole, Whole, Whole),
        [S.Statistics] = Of(Text, Text, Whole, Whole, Text, Text, Truth, Truth),
        [S.Sizes] = Of(Whole, Wholes, Wholes),
        [S.Places] = Of(A(S.Box), Wholes),
        [S.Box] = Of(Real, Real, Real, Real, Real, Real, Real, Real),
        [S.Crypto] = Of(A(S.Empty), A(S.ColumnKey)),
        [S.ColumnKey] = Of(Texts, Text),
        [S.Order] = Of(A(S.Empty)),
        [S.Encryption] = Of(A(S.Cipher), A(S.Cipher)),
        [S.Cipher] = Of(Text, Text, Truth),
        [S.Page] = Of(Whole, Whole, Whole, Whole, A(S.DataPage), A(S.Empty), A(S.DictionaryPage), A(S.DataPageV2)),
        [S.DataPage] = Of(Whole, Whole, Whole, Whole, A(S.Statistics)),
        [S.DictionaryPage] = Of(Whole, Whole, Truth),
        [S.DataPageV2] = Of(Whole, Whole, Whole, Whole, Whole, Whole, Truth, A(S.Statistics)),
    }.ToFrozenDictionary();

    /// <summary>What a field has to be; null where the format, as known here, has none of that number.</summary>
    public static ParquetField? Field(S structure, long number) =>
        Fields.TryGetValue(structure, out var fields) && number >= 1 && number <= fields.Length ? fields[number - 1] : null;

    private static ParquetField A(S structure) => new(Structure, structure);

    private static ParquetField ListOf(S structure) => new(List, structure);

    /// <summary>Fields from number 1 on, each a <see cref="ThriftType"/> or a <see cref="ParquetField"/>.</summary>
    private static ParquetField?[] Of(params object?[] fields) =>
        Array.ConvertAll(fields, f => f switch { ThriftType type => new ParquetField(type), ParquetField field => field, _ => (ParquetField?)null });
}
