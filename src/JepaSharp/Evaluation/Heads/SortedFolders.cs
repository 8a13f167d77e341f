using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Heads;

/// <summary>Puts images into a folder for each label, and the unsure ones into one of their own. Writes into a new or empty folder alone.</summary>
public static class SortedFolders
{
    /// <summary>The folder of the images that are "unsure"; with further underscores before it where a class is called so.</summary>
    public const string Unsure = "_unsure";

    private const int LongestName = 100, MostCopies = 1_000_000;

    /// <summary>Checks that images can be sorted into a folder, before any work is done.</summary>
    /// <param name="folder">A new or empty folder.</param>
    /// <param name="images">What is to be sorted.</param>
    /// <exception cref="JepaException">The folder holds something, or the images are no files of their own.</exception>
    public static void Require(string folder, ImageSource images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (File.Exists(folder)) throw new JepaException($"{folder} is a file. Give a new folder to --sort-into.", isUsage: true);
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new JepaException($"{folder} is not empty, and nothing is overwritten. Give a new folder to --sort-into.", isUsage: true);
        for (var i = 0; i < images.Count; i++)
        {
            if (images.PathOf(i) is null)
                throw new JepaException(
                    $"The images of {images.Origin.Description} are no files of their own ({images.NameOf(i)} lies inside a larger one), so there is "
                        + "nothing to copy. Unpack them into a folder, or leave --sort-into out.", isUsage: true);
        }
    }

    /// <summary>Copies or links the images.</summary>
    /// <param name="folder">A new or empty folder.</param>
    /// <param name="images">Where the images come from.</param>
    /// <param name="predictions">The labels.</param>
    /// <param name="classes">Every class there is.</param>
    /// <param name="link">Links instead of copies.</param>
    /// <param name="progress">Is told how many are done.</param>
    /// <param name="cancellation">Stops between images.</param>
    /// <returns>Images in each folder, by its name; only those that hold any.</returns>
    /// <exception cref="JepaException">Something cannot be written; what is there by then stays.</exception>
    public static IReadOnlyDictionary<string, int> Write(
        string folder, ImageSource images, IReadOnlyList<ImagePrediction> predictions, IReadOnlyList<string> classes, bool link = false,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        Require(folder, images);
        var names = NamesOf(classes);
        var unsure = Unsure;
        while (names.Values.Contains(unsure, StringComparer.OrdinalIgnoreCase)) unsure = "_" + unsure;
        var root = Path.GetFullPath(folder);
        var (counts, done) = (new SortedDictionary<string, int>(StringComparer.Ordinal), 0);
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        try
        {
            foreach (var prediction in predictions)
            {
                cancellation.ThrowIfCancellationRequested();
                var into = prediction.IsUnsure ? unsure : names[prediction.Label!];
                var source = images.PathOf(prediction.Index)!;
                Directory.CreateDirectory(Path.Combine(root, into));
                Put(source, Free(root, into, SafeName(Path.GetFileName(source)), taken), link);
                counts[into] = counts.GetValueOrDefault(into) + 1;
                progress?.Report(++done);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException(
                $"Sorting into {folder} stopped after {Quantity.Of(done, "image")} of {predictions.Count:n0}: {e.Message.TrimEnd('.')}. What "
                    + "is there by now stays; sort into another folder when that is mended.", inner: e);
        }

        return counts;
    }

    /// <summary>The name of each class's folder.</summary>
    /// <exception cref="JepaException">Two classes would have the same.</exception>
    private static Dictionary<string, string> NamesOf(IReadOnlyList<string> classes)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        var owners = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in classes)
        {
            var safe = SafeName(name);
            if (!owners.TryAdd(safe, name))
                throw new JepaException(
                    $"The classes \"{owners[safe]}\" and \"{name}\" would have the same folder, {safe}. Leave --sort-into out and use the labels in "
                        + "--out, or rename one of the classes and fit again.", isUsage: true);
            names[name] = safe;
        }

        return names;
    }

    /// <summary>A name that is one name of a file or folder on every system: no separators, nothing that leads elsewhere.</summary>
    internal static string SafeName(string name)
    {
        var characters = PrintableName.Of(name).Select(c => c is '/' or '\\' or ':' or '*' or '?' or '"' or '<' or '>' or '|' || c < ' ' ? '_' : c);
        var safe = string.Concat(characters).Trim(' ').TrimEnd('.');
        if (safe.Length > LongestName)
        {
            var ending = Path.GetExtension(safe);
            if (ending.Length > 10) ending = "";
            safe = safe[..(LongestName - ending.Length)] + ending;
        }

        // Hidden files and names of devices would not be seen again, or not be written.
        if (safe.Length == 0 || safe[0] == '.' || IsDevice(safe)) safe = "_" + safe;
        return safe;
    }

    private static bool IsDevice(string name)
    {
        var stem = name.Split('.')[0].ToUpperInvariant();
        return stem is "CON" or "PRN" or "AUX" or "NUL" || (stem.Length == 4 && (stem.StartsWith("COM", StringComparison.Ordinal)
            || stem.StartsWith("LPT", StringComparison.Ordinal)) && char.IsAsciiDigit(stem[3]));
    }

    /// <summary>A path below the folder that nothing has; of names that are taken, with a number behind: x.jpg, x-2.jpg.</summary>
    private static string Free(string root, string folder, string name, HashSet<string> taken)
    {
        var (stem, ending) = (Path.GetFileNameWithoutExtension(name), Path.GetExtension(name));
        for (var copy = 1; copy < MostCopies; copy++)
        {
            var numbered = copy == 1 ? name : FormattableString.Invariant($"{stem}-{copy}{ending}");
            var path = Path.GetFullPath(Path.Combine(root, folder, numbered));
            if (!path.StartsWith(Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                throw new JepaException($"{name} would be written outside of {root}; nothing is.");
            if (taken.Add(path)) return path;
        }

        throw new JepaException($"More than {MostCopies:n0} images are called {name}.");
    }

    private static void Put(string source, string path, bool link)
    {
        if (link)
        {
            File.CreateSymbolicLink(path, Path.GetFullPath(source));
            return;
        }

        using var from = RegularFile.OpenRead(source);
        using var to = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        from.CopyTo(to);
    }
}
