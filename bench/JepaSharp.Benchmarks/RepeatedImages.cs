using JepaSharp.Data.Sources;

namespace JepaSharp.Benchmarks;

/// <summary>So many images of a source: its first ones, or all of them several times over, so that a round takes long enough to be timed.</summary>
internal sealed class RepeatedImages(ImageSource source, int count) : ImageSource
{
    public override int Count => count;

    public override string Description => source.Description;

    public override string NameOf(int index) => source.NameOf(index % source.Count);

    public override long StoredBytes(int index) => source.StoredBytes(index % source.Count);

    public override OpenedImage Open(int index) => source.Open(index % source.Count);

    protected override void Dispose(bool disposing)
    {
        source.Dispose();
        base.Dispose(disposing);
    }
}
