using JepaSharp.Data.Sources.Scenes;

namespace JepaSharp.Data.Sources;

/// <summary>A source with more to say of it: what was found beside its files. Owns the source.</summary>
/// <param name="source">The source.</param>
/// <param name="sum">The count of what was found.</param>
/// <param name="notices">Sentences before its own.</param>
internal sealed class NotedSource(ImageSource source, string? sum, IReadOnlyList<string> notices) : ImageSource
{
    /// <inheritdoc/>
    public override int Count => source.Count;

    /// <inheritdoc/>
    public override string Description => source.Description;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => source.Classes;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Columns => source.Columns;

    /// <inheritdoc/>
    public override string? Sum => sum;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notices => [.. notices, .. source.Notices];

    /// <inheritdoc/>
    internal override int SplitsByName => source.SplitsByName;

    /// <inheritdoc/>
    public override string NameOf(int index) => source.NameOf(index);

    /// <inheritdoc/>
    public override int? LabelOf(int index) => source.LabelOf(index);

    /// <inheritdoc/>
    public override double? ValueOf(int index, string column) => source.ValueOf(index, column);

    /// <inheritdoc/>
    public override Scene? SceneOf(int index) => source.SceneOf(index);

    /// <inheritdoc/>
    public override long StoredBytes(int index) => source.StoredBytes(index);

    /// <inheritdoc/>
    public override string? PathOf(int index) => source.PathOf(index);

    /// <inheritdoc/>
    public override OpenedImage Open(int index) => source.Open(index);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) source.Dispose();
        base.Dispose(disposing);
    }
}
