using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>The images of a source that a list names, in the source's order; owns the source. The official 1 % of ImageNet's training images is such
/// a list.</summary>
public sealed class NamedSubset : SourceView
{
    private const int Shown = 3;

    /// <summary>Chooses images by name.</summary>
    /// <param name="source">The whole collection.</param>
    /// <param name="names">Whole names (<see cref="ImageSource.NameOf"/>), or what stands behind their last '/'; each at least once.</param>
    /// <param name="list">What to call the list in messages.</param>
    /// <exception cref="JepaException">A name is of no image or of several, or there is none: the subset would be another one, and numbers not
    /// comparable.</exception>
    public NamedSubset(ImageSource source, IEnumerable<string> names, string list)
        : base(source, Choose(source, names, list))
    {
    }

    /// <summary>Reads the names from a file, one a line.</summary>
    /// <param name="source">The whole collection; disposed if this fails.</param>
    /// <param name="path">The file, in UTF-8.</param>
    /// <exception cref="JepaException">The file cannot be read, or as above.</exception>
    public static NamedSubset Of(ImageSource source, string path)
    {
        try
        {
            using var reader = new StreamReader(RegularFile.OpenRead(path), Encoding.UTF8);
            var names = new List<string>();
            while (reader.ReadLine() is { } line)
                if (line.Trim() is { Length: > 0 } name) names.Add(name);
            return new NamedSubset(source, names, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            source.Dispose();
            throw new JepaException($"{path}, which should list names of images, cannot be read: {e.Message}", isUsage: true, e);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static int[] Choose(ImageSource source, IEnumerable<string> names, string list)
    {
        ArgumentNullException.ThrowIfNull(source);
        var found = names.ToHashSet(StringComparer.Ordinal).ToDictionary(n => n, _ => -1, StringComparer.Ordinal);
        if (found.Count == 0) throw new JepaException($"{list} is empty. Expected names of images, one a line.", isUsage: true);
        var chosen = new List<int>(found.Count);
        for (var i = 0; i < source.Count; i++)
        {
            var whole = source.NameOf(i);
            var listed = found.ContainsKey(whole) ? whole : whole[(whole.LastIndexOf('/') + 1)..];
            if (!found.TryGetValue(listed, out var before)) continue;
            if (before >= 0)
                throw new JepaException(
                    $"{list} names {listed}, which is the name of two images: {source.NameOf(before)} and {whole}. List names with their folders.",
                    isUsage: true);
            found[listed] = i;
            chosen.Add(i);
        }

        var missing = found.Where(f => f.Value < 0).Select(f => f.Key).ToList();
        if (missing.Count == 0) return [.. chosen];
        throw new JepaException(
            $"{missing.Count:N0} of the {found.Count:N0} images that {list} names {(missing.Count == 1 ? "is" : "are")} not in {source.Description}: "
                + $"{string.Join(", ", missing.Take(Shown))}{(missing.Count > Shown ? ", ..." : "")}. "
            + $"A name there looks like {source.NameOf(0)}.",
            isUsage: true);
    }
}
