using System.Collections.Concurrent;
using JepaSharp.Data;
using JepaSharp.Data.Sources;

namespace JepaSharp.Tests.Data.Sources;

/// <summary>Images made in memory, each a different noise; some may be broken.</summary>
internal sealed class NumberedImages(int count, Func<int, bool>? isBroken = null, Action<int>? onOpen = null) : ImageSource
{
    public ConcurrentBag<int> Opened { get; } = [];

    public override int Count => count;

    public override string Description => "numbered images";

    public override string NameOf(int index) => $"image {index}";

    public override OpenedImage Open(int index)
    {
        Opened.Add(index);
        onOpen?.Invoke(index);
        if (isBroken?.Invoke(index) == true) throw new ImageUnreadableException(NameOf(index), "broken on purpose.");
        return new Numbered(index);
    }

    private sealed class Numbered(int index) : OpenedImage
    {
        public override int Width => 20 + (index % 7);

        public override int Height => 18 + (index % 5);

        public override RgbImage Decode() => EncodedImages.Noise(Width, Height, (ulong)index);
    }
}
