using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>Classes of a label column over several files, of which each may name its classes in its own order.</summary>
internal static class ParquetLabels
{
    /// <summary>Numbers with names in the metadata keep their order and names; anything else is classes by its texts.</summary>
    /// <param name="files">The files, in order.</param>
    /// <param name="column">Name of the column.</param>
    /// <param name="read">Reads the column of one file.</param>
    /// <param name="notices">Gets what a user should know.</param>
    public static ClassLabels Of(IReadOnlyList<ParquetFile> files, string column, Func<ParquetFile, string?[]> read, List<string> notices)
    {
        var named = files.Select(f => (File: f, Names: NamesIn(f, column))).ToArray();
        if (Array.Find(named, n => n.Names is not null) is not { Names: { } first } from) return ClassLabels.Of([.. files.SelectMany(read)]);
        var classes = first.ToList();
        var (labels, foreign, unnamed, others) = (new List<int>(), 0, 0, 0);
        foreach (var (file, names) in named)
        {
            if (names is null) unnamed++;
            var own = names ?? first;
            var isSame = own.SequenceEqual(first, StringComparer.Ordinal);
            if (!isSame) others++;
            var index = isSame ? null : Array.ConvertAll([.. own], name => IndexOf(classes, name));
            foreach (var text in read(file))
            {
                var known = int.TryParse(text, out var label) && label >= 0 && label < own.Count;
                if (!known && text is not (null or "-1")) foreign++; // Hugging Face writes -1 where a test set's labels are kept back.
                labels.Add(!known ? -1 : index is null ? label : index[label]);
            }
        }

        if (others > 0)
            notices.Add($"{others:N0} of {files.Count:N0} files {(others == 1 ? "names" : "name")} the classes in another order or others: labels "
                + "are matched by their names.");
        if (unnamed > 0)
            notices.Add($"{unnamed:N0} of {files.Count:N0} files {(unnamed == 1 ? "does" : "do")} not name the classes: the names in "
                + $"{from.File.Path} are taken.");
        if (foreign > 0)
            notices.Add($"{Quantity.Of(foreign, "row has", "rows have")} a \"{column}\" that is none of the {first.Count:N0} named classes, and "
                + $"{(foreign == 1 ? "counts" : "count")} as without label.");
        return new ClassLabels(classes, [.. labels]);
    }

    private static IReadOnlyList<string>? NamesIn(ParquetFile file, string column) =>
        file.Scalars.FirstOrDefault(s => s.Name == column) is { } field && !ParquetColumns.IsText(field)
            && ParquetColumns.ClassNames(file.Metadata, column) is { Count: > 0 } names ? names : null;

    private static int IndexOf(List<string> classes, string name)
    {
        var at = classes.IndexOf(name);
        if (at >= 0) return at;
        classes.Add(name);
        return classes.Count - 1;
    }
}
