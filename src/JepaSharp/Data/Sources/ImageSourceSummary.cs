using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>What a collection holds, judged by the headers of some of its images.</summary>
public sealed record ImageSourceSummary
{
    /// <summary>Images in the collection.</summary>
    public required int Count { get; init; }

    /// <summary>Class names; empty without labels.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Images whose headers were read, those that could not be read included.</summary>
    public required int Sampled { get; init; }

    /// <summary>Median of the shorter side in pixels; 0 where no sampled image could be read.</summary>
    public required int MedianShorterSide { get; init; }

    /// <summary>Least width and height found, in pixels.</summary>
    public required (int Width, int Height) Smallest { get; init; }

    /// <summary>Greatest width and height found, in pixels.</summary>
    public required (int Width, int Height) Largest { get; init; }

    /// <summary>Sampled images of each format, the commonest first.</summary>
    public required IReadOnlyDictionary<string, int> Formats { get; init; }

    /// <summary>The sampled images that could not be opened.</summary>
    public required IReadOnlyList<ImageUnreadableException> Unreadable { get; init; }

    /// <summary>Reads the headers of up to <paramref name="sampleSize"/> images, evenly drawn and always the same ones.</summary>
    /// <param name="source">The collection.</param>
    /// <param name="sampleSize">Most headers to read.</param>
    public static ImageSourceSummary Of(ImageSource source, int sampleSize = 500)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sampleSize);
        var sizes = new List<(int Width, int Height)>();
        var formats = new Dictionary<string, int>(StringComparer.Ordinal);
        var unreadable = new List<ImageUnreadableException>();
        var sampled = Math.Min(sampleSize, source.Count);
        for (var i = 0; i < sampled; i++)
        {
            try
            {
                using var image = source.OpenWithinBound(Drawn(i, sampled, source.Count));
                sizes.Add((image.Width, image.Height));
                formats[image.Format] = formats.GetValueOrDefault(image.Format) + 1;
            }
            catch (ImageUnreadableException e)
            {
                unreadable.Add(e);
            }
        }

        var shorter = sizes.Select(s => Math.Min(s.Width, s.Height)).Order().ToArray();
        return new ImageSourceSummary
        {
            Count = source.Count,
            Classes = source.Classes,
            Sampled = sampled,
            MedianShorterSide = shorter.Length == 0 ? 0 : shorter[shorter.Length / 2],
            Smallest = sizes.Count == 0 ? default : (sizes.Min(s => s.Width), sizes.Min(s => s.Height)),
            Largest = sizes.Count == 0 ? default : (sizes.Max(s => s.Width), sizes.Max(s => s.Height)),
            Formats = formats.OrderByDescending(f => f.Value).ThenBy(f => f.Key, StringComparer.Ordinal).ToDictionary(),
            Unreadable = unreadable,
        };
    }

    /// <summary>One image out of each of <paramref name="sampled"/> equal stretches, so that no regularity of the order goes unnoticed.</summary>
    private static int Drawn(int i, int sampled, int count)
    {
        var first = (int)((long)i * count / sampled);
        var end = (int)((i + 1L) * count / sampled);
        var random = new RandomStream(0, RandomPurpose.Split, sample: i);
        return first + random.NextInt(end - first);
    }
}
