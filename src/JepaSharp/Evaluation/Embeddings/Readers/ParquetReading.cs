using JepaSharp.Data.Sources.Columnar;
using Parquet;
using Parquet.Schema;

namespace JepaSharp.Evaluation.Embeddings.Readers;

/// <summary>Reads a Parquet file of name, class and <c>features</c>, a list of floats.</summary>
internal static class ParquetReading
{
    public static StoredEmbeddings Read(string path)
    {
        using var stream = new HandleStream(path);
        ParquetLimits.CheckFooter(stream);
        var reader = ParquetReader.CreateAsync(stream, leaveStreamOpen: true).GetAwaiter().GetResult();
        try
        {
            DataField[] fields = reader.Schema.DataFields;
            if (fields.Any(field => field.Name == "patch")) throw EmbeddingRows.OfPatches(path);
            var features = fields.FirstOrDefault(field => field.Path.FirstPart == "features");
            if (features is not { MaxRepetitionLevel: 1 } || features.ClrType != typeof(float)
                || fields.FirstOrDefault(field => field.Path.ToString() == "name") is not { } name || !ParquetColumns.IsText(name))
                throw new InvalidDataException("it has no columns 'name' and 'features', a list of float32");
            var classes = fields.FirstOrDefault(field => field.Path.ToString() == "class");
            var (rows, values, width) = (new EmbeddingRows(), new List<float>(), 0);
            for (var g = 0; g < reader.RowGroupCount; g++)
            {
                using var group = reader.OpenRowGroupReader(g);
                var names = ParquetColumns.ReadTexts(Chunk(stream, group, name));
                var named = classes is null ? new string?[names.Length] : ParquetColumns.ReadTexts(Chunk(stream, group, classes));
                foreach (var (text, className) in names.Zip(named)) rows.Add(text ?? "", className);
                if (names.Length > 0) values.AddRange(Numbers(Chunk(stream, group, features), names.Length, ref width));
            }

            return rows.With(path, Math.Max(width, 1), [.. values], reader.CustomMetadata);
        }
        finally
        {
            reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static ParquetChunk Chunk(HandleStream stream, ParquetRowGroupReader group, DataField field)
    {
        if (group.GetMetadata(field)?.MetaData is not { } column) throw new InvalidDataException($"a row group lacks the column '{field.Name}'");
        stream.End = long.MaxValue;
        var pages = ParquetLimits.CheckPages(stream, column);
        stream.End = pages.End;
        return new ParquetChunk(group, field, pages);
    }

    /// <summary>The lists of a row group, which all have the same length.</summary>
    private static float[] Numbers(ParquetChunk chunk, int rows, ref int width)
    {
        var count = chunk.Group.GetMetadata(chunk.Field)!.MetaData!.NumValues;
        if (count > Array.MaxLength || count % rows != 0 || (width != 0 && count / rows != width))
            throw new InvalidDataException("its lists of features are not all of one length");
        width = (int)(count / rows);
        var (values, levels, repeats) = (new float[count], new int[count], new int[count]);
        Memory<int>? definitions = levels.AsMemory(), repetitions = repeats.AsMemory();
        chunk.Group.ReadRawAsync(chunk.Field, values.AsMemory(), definitions, repetitions).AsTask().GetAwaiter().GetResult();
        for (var i = 0; i < values.Length; i++)
        {
            if (levels[i] != chunk.Field.MaxDefinitionLevel || repeats[i] != (i % width == 0 ? 0 : 1))
                throw new InvalidDataException("its lists of features are not all of one length, or one lacks a number");
        }

        return values;
    }
}
