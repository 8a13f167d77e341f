using System.Globalization;
using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources.Scenes.Rendering;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>The built-in data: scenes in the manner of CLEVR, rendered on demand or all in advance.</summary>
/// <remarks>
/// Scene i of a seed is the same whatever the count, the order and the thread; its camera, lamps and objects do not depend on the
/// picture's size either. Another seed, or indices further on, give scenes that were not seen.
/// </remarks>
public sealed class ScenesSource : ImageSource
{
    private readonly ulong _seed;
    private readonly int _first, _width, _height;
    private readonly RgbImage?[] _rendered;

    /// <summary>Square pictures.</summary>
    /// <param name="seed">Which world of scenes.</param>
    /// <param name="count">How many.</param>
    /// <param name="size">Side in pixels, at least 8.</param>
    /// <param name="first">Index in the seed's world of this source's image 0.</param>
    public ScenesSource(ulong seed, int count, int size, int first = 0)
        : this(seed, count, size, size, first)
    {
    }

    /// <summary>Pictures of any shape; CLEVR's own is 480 x 320.</summary>
    /// <param name="seed">Which world of scenes.</param>
    /// <param name="count">How many.</param>
    /// <param name="width">W in pixels, at least 8.</param>
    /// <param name="height">H in pixels, at least 8.</param>
    /// <param name="first">Index in the seed's world of this source's image 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public ScenesSource(ulong seed, int count, int width, int height, int first)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 8);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 8);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        (_seed, _first, _width, _height, _rendered) = (seed, first, width, height, new RgbImage?[count]);
    }

    /// <inheritdoc/>
    public override int Count => _rendered.Length;

    /// <inheritdoc/>
    public override string Description => string.Create(
        CultureInfo.InvariantCulture, $"{Quantity.Of(Count, "rendered scene")} of {_width}x{_height} (seed {_seed}, scenes {_first} to "
            + $"{_first + Count - 1})");

    /// <inheritdoc/>
    public override string NameOf(int index) => FileNameOf(Checked(index));

    /// <inheritdoc/>
    public override IReadOnlyList<string> Columns => SceneColumns.All;

    /// <inheritdoc/>
    public override double? ValueOf(int index, string column) =>
        SceneColumns.ValueOf(SceneOf(index), column) is (true, var value) ? value : base.ValueOf(index, column);

    /// <inheritdoc/>
    public override OpenedImage Open(int index) => new OpenedScene(this, Checked(index));

    /// <summary>What is in an image: object count, nearest distance and all else by <see cref="SceneTargets"/>.</summary>
    public override Scene SceneOf(int index) =>
        SceneGenerator.Draw(_seed, _first + Checked(index)).Annotate(_width, _height, _first + index, FileNameOf(index), "new");

    /// <summary>Renders every image and keeps it in memory, 3 W H bytes each, so that reading costs nothing from then on.</summary>
    /// <param name="threads">How many threads, at least 1; the bytes are the same for any number.</param>
    /// <param name="progress">Told how many images are done, in no strict order.</param>
    /// <param name="cancellation">Stops the work; what is rendered by then is kept.</param>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public void RenderAll(int threads, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var done = 0;
        Parallel.For(0, Count, new() { MaxDegreeOfParallelism = threads, CancellationToken = cancellation }, index =>
        {
            _rendered[index] ??= Render(index);
            progress?.Report(Interlocked.Increment(ref done));
        });
    }

    private RgbImage Render(int index) => SceneRenderer.Render(SceneGenerator.Draw(_seed, _first + index), _width, _height);

    private string FileNameOf(int index) => SceneFolder.FileNameOf(_first + index);

    private int Checked(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return index;
    }

    private sealed class OpenedScene(ScenesSource source, int index) : OpenedImage
    {
        public override int Width => source._width;

        public override int Height => source._height;

        // A copy of a kept image: what is decoded belongs to the caller.
        public override RgbImage Decode() => source._rendered[index] is { } kept ? new(Width, Height, [.. kept.Pixels]) : source.Render(index);

        // A region is only read, so a kept image needs no copy.
        public override PixelRegion DecodeRegion(in DecodeRequest request, PixelBuffer buffer) =>
            PixelRegion.Of(source._rendered[index] ?? source.Render(index));
    }
}
