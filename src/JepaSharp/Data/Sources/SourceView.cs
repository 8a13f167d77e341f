using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>Some of a source's images, in the source's order; owns the source, unless it is told not to.</summary>
public abstract class SourceView : ImageSource
{
    private readonly ImageSource _source;
    private readonly int[] _chosen;
    private readonly bool _ownsSource;

    /// <summary>A view.</summary>
    /// <param name="source">The whole collection.</param>
    /// <param name="chosen">Indices into it, rising.</param>
    /// <param name="ownsSource">Whether the source is disposed of with the view.</param>
    private protected SourceView(ImageSource source, int[] chosen, bool ownsSource = true) =>
        (_source, _chosen, _ownsSource) = (source, chosen, ownsSource);

    /// <inheritdoc/>
    public override int Count => _chosen.Length;

    /// <inheritdoc/>
    public override string Description => $"{_chosen.Length:n0} of {_source.Description}";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _source.Classes;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Columns => _source.Columns;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notices => _source.Notices;

    /// <inheritdoc/>
    public override ImageSource Origin => _source.Origin;

    /// <inheritdoc/>
    public override string? Sum => _source.Sum;

    /// <inheritdoc/>
    internal override int SplitsByName => _source.SplitsByName;

    /// <inheritdoc/>
    public override string NameOf(int index) => _source.NameOf(_chosen[index]);

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _source.LabelOf(_chosen[index]);

    /// <inheritdoc/>
    public override double? ValueOf(int index, string column) => _source.ValueOf(_chosen[index], column);

    /// <inheritdoc/>
    public override Scene? SceneOf(int index) => _source.SceneOf(_chosen[index]);

    /// <inheritdoc/>
    public override long StoredBytes(int index) => _source.StoredBytes(_chosen[index]);

    /// <inheritdoc/>
    public override string? PathOf(int index) => _source.PathOf(_chosen[index]);

    /// <inheritdoc/>
    public override OpenedImage Open(int index) => _source.Open(_chosen[index]);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _ownsSource) _source.Dispose();
        base.Dispose(disposing);
    }
}

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
