using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Targets;

/// <summary>The classes of a set of which an image could be read: a class without one is a class that nothing is known of.</summary>
internal static class ReadableClasses
{
    private const int BatchSize = 16;

    /// <summary>Classes that images have, and of which none could be read, in ordinal order.</summary>
    /// <param name="texts">The class of each image; null for an image without one.</param>
    /// <param name="read">The images that could be read.</param>
    public static string[] Lost(string?[] texts, IEnumerable<int> read)
    {
        var found = read.Select(image => texts[image]).OfType<string>();
        return [.. texts.OfType<string>().Except(found, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>One readable image of each class that has one, found by decoding few: the next of a class only where the one before is
    /// broken.</summary>
    /// <param name="source">The images.</param>
    /// <param name="texts">The class of each; null for an image without one.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">Too many images cannot be read.</exception>
    public static IReadOnlyList<int> OneOfEach(ImageSource source, string?[] texts, EvaluationTransform transform, CancellationToken cancellation)
    {
        var waiting = texts.Index().Where(t => t.Item is not null)
            .GroupBy(t => t.Item, t => t.Index, StringComparer.Ordinal).Select(images => new Queue<int>(images)).ToList();
        var found = new List<int>();
        var reader = new ImageReader(source, transform, BatchSize);
        while (waiting.Count > 0)
        {
            var tried = waiting.ConvertAll(images => (Image: images.Dequeue(), Others: images));
            var read = new HashSet<int>();
            foreach (var batch in reader.Read([.. tried.Select(t => t.Image)], cancellation)) read.UnionWith(batch.Indices.Take(batch.Count));
            found.AddRange(read);
            waiting = [.. tried.Where(t => !read.Contains(t.Image) && t.Others.Count > 0).Select(t => t.Others)];
        }

        return found;
    }
}
