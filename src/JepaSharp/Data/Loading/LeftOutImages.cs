using System.Globalization;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>The images of a set that could not be read and are left out of what is made of it: how many of how many, and which, for example. One
/// sentence says so everywhere.</summary>
public sealed class LeftOutImages
{
    private LeftOutImages(string set, int unreadable, int images, string? example) =>
        (Set, Unreadable, Images, Example) = (set, unreadable, images, example is null ? null : PrintableName.Of(example));

    /// <summary>What the images are called: "fit images", "test images".</summary>
    public string Set { get; }

    /// <summary>Images that could not be read, at least one.</summary>
    public int Unreadable { get; }

    /// <summary>All images that were asked for, those that could not be read included.</summary>
    public int Images { get; }

    /// <summary>Name of the first of them, fit to print; null where only their number is known.</summary>
    public string? Example { get; }

    /// <summary>"2 of 20 fit images could not be read and are left out, such as dog/broken.jpg."</summary>
    public string Sentence
    {
        get
        {
            var example = Example is null ? "" : Unreadable == 1 ? $": {Example}" : $", such as {Example}";
            return string.Create(CultureInfo.InvariantCulture,
                $"{Unreadable:N0} of {Images:N0} {Set} could not be read and {(Unreadable == 1 ? "is" : "are")} left out{example}.");
        }
    }

    /// <summary>Those of a source that are not among the images read.</summary>
    /// <param name="set">What the images are called.</param>
    /// <param name="source">Where they come from.</param>
    /// <param name="read">Indices of the images that could be read.</param>
    /// <param name="asked">Indices of the images that were to be read; null for all.</param>
    /// <returns>null where all could be read.</returns>
    public static LeftOutImages? Of(string set, ImageSource source, IEnumerable<int> read, IReadOnlyList<int>? asked = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        var found = read.ToHashSet();
        int[] missing = [.. (asked ?? Enumerable.Range(0, source.Count)).Where(image => !found.Contains(image))];
        return missing.Length == 0 ? null : new LeftOutImages(set, missing.Length, asked?.Count ?? source.Count, source.NameOf(missing[0]));
    }

    /// <summary>So many images, already counted.</summary>
    /// <param name="set">What the images are called.</param>
    /// <param name="unreadable">Images that could not be read.</param>
    /// <param name="images">All images that were asked for.</param>
    /// <param name="example">Name of one that could not be read; null where none is known.</param>
    /// <returns>null where all could be read.</returns>
    public static LeftOutImages? Of(string set, int unreadable, int images, string? example) =>
        unreadable == 0 ? null : new LeftOutImages(set, unreadable, images, example);

    /// <summary><see cref="Sentence"/>.</summary>
    public override string ToString() => Sentence;
}
