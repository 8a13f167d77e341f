using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>The images of a source that could not be read, and the point at which there are too many. Safe to use from several threads.</summary>
internal sealed class UnreadableImages(ImageSource source, UnreadablePolicy policy, double maxShare)
{
    // Of a small collection a few bad files are more than any share of it.
    private const int AlwaysTolerated = 4;
    private const int ShownInMessage = 5;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, ImageUnreadableException> _failures = [];

    /// <summary>Those met so far, by index in the source.</summary>
    public IReadOnlyList<ImageUnreadableException> Met
    {
        get
        {
            lock (_gate) return [.. _failures.Values];
        }
    }

    private static string Text(double share) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{100 * share:0.###} %");

    /// <summary>Notes a failure.</summary>
    /// <exception cref="JepaException">No failure is tolerated, or this is one too many.</exception>
    public void Add(int index, ImageUnreadableException failure)
    {
        if (policy == UnreadablePolicy.Fail)
            throw new JepaException($"An image cannot be read: {failure.Message} Mend or remove it, or let unreadable images be skipped.", inner: failure);
        lock (_gate)
        {
            _failures[index] = failure;
            if (_failures.Count <= Math.Max(AlwaysTolerated, maxShare * source.Count) && _failures.Count < source.Count) return;
            var some = string.Join('\n', _failures.Values.Take(ShownInMessage).Select(f => "  " + f.Message));
            throw new JepaException(
                $"{_failures.Count:N0} of the {source.Count:N0} images in {source.Description} cannot be read; {Text(maxShare)} are tolerated (data.max_unreadable). Among them:\n{some}", inner: failure);
        }
    }
}
