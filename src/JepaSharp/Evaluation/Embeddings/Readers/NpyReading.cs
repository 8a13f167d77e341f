using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using JepaSharp.Data.Sources;
using JepaSharp.Weights;

namespace JepaSharp.Evaluation.Embeddings.Readers;

/// <summary>Reads NumPy's array file of float32 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).</summary>
internal static partial class NpyReading
{
    private const int PrefixLength = 8, LongestHeader = 1 << 20;

    public static StoredEmbeddings Read(string path)
    {
        using var stream = RegularFile.OpenRead(path);
        var header = Header(stream);
        var type = Type().Match(header);
        if (!type.Success || type.Groups["type"].Value != "<f4" || !RowMajor().IsMatch(header))
            throw new InvalidDataException(
                $"its numbers are not float32 row by row but {(type.Success ? $"'{type.Groups["type"].Value}'" : "of no known type")}");
        var sides = Shape().Match(header).Groups["sides"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var (rows, width) = EmbeddingRows.Require(path, [.. sides.Select(side => long.Parse(side, CultureInfo.InvariantCulture))]);
        var left = stream.Length - stream.Position;
        if (left != (long)rows * width * sizeof(float))
            throw new InvalidDataException($"{left:N0} bytes follow its header; {rows:N0} x {width:N0} numbers take {(long)rows * width * 4:N0}");
        var values = new float[rows * width];
        for (var row = 0; row < rows; row++) stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan(row * width, width)));
        return EmbeddingRows.Beside(path, rows).With(path, width, values);
    }

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    private static string Header(FileStream stream)
    {
        Span<byte> prefix = stackalloc byte[PrefixLength];
        stream.ReadExactly(prefix);
        if (!prefix[..6].SequenceEqual(Magic)) throw new InvalidDataException("it does not begin as NumPy's array files do");
        Span<byte> length = stackalloc byte[prefix[6] == 1 ? sizeof(ushort) : sizeof(uint)];
        stream.ReadExactly(length);
        var count = length.Length == sizeof(ushort)
            ? BinaryPrimitives.ReadUInt16LittleEndian(length)
            : BinaryPrimitives.ReadUInt32LittleEndian(length);
        if (count > LongestHeader) throw new InvalidDataException($"its header claims {count:N0} bytes");
        var header = new byte[count];
        stream.ReadExactly(header);
        return Encoding.UTF8.GetString(header);
    }

    [GeneratedRegex("'descr':\\s*'(?<type>[^']*)'", RegexOptions.ExplicitCapture)]
    private static partial Regex Type();

    [GeneratedRegex("'fortran_order':\\s*False")]
    private static partial Regex RowMajor();

    [GeneratedRegex("'shape':\\s*\\((?<sides>[0-9, ]*)\\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Shape();
}

/// <summary>Reads the tensor <c>features</c> of a safetensors file.</summary>
internal static class SafetensorsReading
{
    public static StoredEmbeddings Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        if (!file.Tensors.TryGetValue(Writers.SafetensorsEmbeddings.Name, out var features) || features.Type != TorchSharp.torch.ScalarType.Float32)
            throw new InvalidDataException($"it holds no float32 tensor '{Writers.SafetensorsEmbeddings.Name}'");
        var (rows, width) = EmbeddingRows.Require(path, features.Shape);
        using var read = features.Read();
        return EmbeddingRows.Beside(path, rows).With(path, width, read.data<float>().ToArray(), file.Metadata);
    }
}
