using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>A number of a source's images, drawn once and in the source's order; owns the source.</summary>
public sealed class SourceSubset : SourceView
{
    /// <summary>Draws <paramref name="count"/> images, always the same ones.</summary>
    public SourceSubset(ImageSource source, int count)
        : base(source, Draw(source.Count, count))
    {
    }

    private static int[] Draw(int from, int count)
    {
        var order = Enumerable.Range(0, from).ToArray();
        new RandomStream(0, RandomPurpose.Split).Shuffle(order.AsSpan());
        var chosen = order[..Math.Min(count, order.Length)];
        Array.Sort(chosen);
        return chosen;
    }
}
