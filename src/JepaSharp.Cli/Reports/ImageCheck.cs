using JepaSharp.Cli.Display;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;

namespace JepaSharp.Cli.Reports;

/// <summary>Sizes, formats and failures of the images of a set, by the headers of some or the pixels of all.</summary>
/// <param name="Looked">How many images were looked at.</param>
/// <param name="Sizes">Width and height of those that could be read.</param>
/// <param name="Formats">How many were of each format.</param>
/// <param name="WithFurtherFrames">How many hold further frames or pages, which are not read.</param>
/// <param name="Broken">Those that could not be read, in the set's order.</param>
internal sealed record ImageCheck(
    int Looked, IReadOnlyList<(int Width, int Height)> Sizes,
    IReadOnlyDictionary<string, int> Formats, int WithFurtherFrames, IReadOnlyList<ImageUnreadableException> Broken)
{
    private const int Sample = 2000;

    /// <summary>Looks at up to 2,000 images evenly spread, or decodes all.</summary>
    public static ImageCheck Of(ImageSource source, bool all, Terminal terminal, CancellationToken cancellation)
    {
        var looked = all ? source.Count : Math.Min(Sample, source.Count);
        var progress = new CountProgress(terminal, all ? "decoding images" : "reading headers", looked);
        var found = new ((int Width, int Height) Size, string Format, bool HasMore, ImageUnreadableException? Failure)[looked];
        var done = 0;
        Parallel.For(0, looked, new() { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
            () => DecodingBound.NewBuffer(Environment.ProcessorCount), (i, _, buffer) =>
        {
            try
            {
                using var image = source.OpenWithinBound((int)((long)i * source.Count / looked));
                if (all) image.Verify(buffer);
                found[i] = ((image.Width, image.Height), image.Format, image.HasFurtherFrames, null);
            }
            catch (ImageUnreadableException e)
            {
                found[i] = (default, "", false, e);
            }

            progress.Report(Interlocked.Increment(ref done));
            return buffer;
        },
        _ => { });
        progress.Finish();
        var read = found.Where(f => f.Failure is null).ToArray();
        return new ImageCheck(
            looked,
            [.. read.Select(f => f.Size)],
            read.CountBy(f => f.Format).ToDictionary(),
            read.Count(f => f.HasMore),
            [.. found.Select(f => f.Failure).OfType<ImageUnreadableException>()]);
    }
}
