using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>Some of a source's images, drawn once and in the source's order; owns the source.</summary>
public sealed class SourceSubset : ImageSource
{
    private readonly ImageSource _source;
    private readonly int[] _chosen;

    /// <summary>Draws <paramref name="count"/> images, always the same ones.</summary>
    public SourceSubset(ImageSource source, int count)
    {
        _source = source;
        var order = Enumerable.Range(0, source.Count).ToArray();
        new RandomStream(0, RandomPurpose.Split).Shuffle(order.AsSpan());
        _chosen = order[..Math.Min(count, order.Length)];
        Array.Sort(_chosen);
    }

    /// <inheritdoc/>
    public override int Count => _chosen.Length;

    /// <inheritdoc/>
    public override string Description => $"{_chosen.Length:n0} of {_source.Description}";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _source.Classes;

    /// <inheritdoc/>
    public override string NameOf(int index) => _source.NameOf(_chosen[index]);

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _source.LabelOf(_chosen[index]);

    /// <inheritdoc/>
    public override OpenedImage Open(int index) => _source.Open(_chosen[index]);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _source.Dispose();
        base.Dispose(disposing);
    }
}
