using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using NetVips;

namespace JepaSharp.Data.Decoding;

/// <summary>
/// An image that libvips decodes, a few rows at a time: TIFF, which SkiaSharp does not know, and PNG of 16 bits, of which it keeps only eight, or so
/// large that it is not decoded whole, as SkiaSharp would.
/// </summary>
internal sealed class VipsImage : StoredImage
{
    /// <summary>Is handed samples of whole rows and the first row; says whether it wants more.</summary>
    private delegate bool TakeSamples(ReadOnlySpan<byte> samples, int top);

    // Rows that libvips holds ahead of those asked for, where the file has no larger strips or tiles.
    private const int RowsAhead = 256;

    // Every strip is an array of its own: left to the collector's own time, they would add up to the whole image.
    private const long MostGarbage = 128 << 20;

    private static readonly Lazy<Exception?> Failure = new(Start);

    private readonly string _name;
    private readonly FileBytes _file;
    private readonly SampleLayout _layout;
    private readonly Enums.BandFormat _sample;
    private readonly bool _isWhole;
    private SampleScale? _scale;

    private VipsImage(string name, string format, FileBytes file, Image image, ColourKind colour)
    {
        (_name, Format, _file, _sample) = (name, format, file, image.Format);
        (StoredWidth, StoredHeight) = (image.Width, image.Height);
        // libvips makes one channel of a palette of greys.
        var kind = colour == ColourKind.Rgb && image.Bands < 3 ? ColourKind.Grey : colour;
        _layout = new SampleLayout(kind, image.Bands);
        if (image.Bands < _layout.Colours)
            throw new ImageUnreadableException(name, $"the {format}'s header is damaged: {image.Bands} channels for {colour}.");
        _isWhole = format == "png" && file.Length > 28 && file.Span[28] != 0; // interlaced
    }

    /// <summary>Whether libvips loads here.</summary>
    public static bool IsAvailable => Failure.Value is null;

    public override string Format { get; }

    public override uint ContentChecksum() => Crc32C.Of(_file.Span);

    public override string Name => _name;

    public override bool HasFurtherFrames => HasMore;

    protected override int StoredWidth { get; }

    protected override int StoredHeight { get; }

    private bool HasMore { get; init; }

    private int RowBytes => StoredWidth * _layout.Channels * SampleScale.BytesOf(_sample);

    /// <summary>Takes the file over, unless it throws.</summary>
    public static VipsImage OpenTiff(FileBytes file, string name, ColourKind colour, Orientation orientation, bool hasMore, DecodingLimits limits) =>
        Open(file, name, ImageFileFormat.Tiff, limits,
            image => new VipsImage(name, ImageFileFormat.Tiff, file, image, colour) { Orientation = orientation, HasMore = hasMore });

    /// <summary>Takes the file over, unless it throws.</summary>
    public static VipsImage OpenPng(FileBytes file, string name, PngChunks chunks, DecodingLimits limits) =>
        Open(file, name, "png", limits, image => new VipsImage(name, "png", file, image, image.Bands < 3 ? ColourKind.Grey : ColourKind.Rgb)
        {
            Orientation = chunks.Orientation,
            HasMore = chunks.HasFurtherFrames,
        });

    protected override long StoredMemory(PixelBox box, int reduction)
    {
        var rows = RowsOf(PixelBuffer.BandBytes, RowBytes + (4L * box.Width), box.Height);
        var held = _isWhole ? StoredHeight : Math.Min(StoredHeight, RowsAhead);
        return _file.Length + ((long)held * RowBytes) + (rows * ((2L * RowBytes) + (4L * box.Width)));
    }

    protected override void DecodeStored(PixelBox box, int reduction, PixelBuffer buffer, long bandBytes, TakeBand take)
    {
        var scale = Scale();
        var rows = RowsOf(bandBytes, RowBytes + (4L * box.Width), box.Height);
        var bytes = buffer.Reserve(4L * box.Width * rows);
        byte[] levels = [];
        ReadRows(box, rows, (samples, top) =>
        {
            var count = samples.Length / SampleScale.BytesOf(_sample);
            var eight = samples;
            if (scale is { } wide)
            {
                if (levels.Length < count) levels = new byte[count];
                wide.Apply(_sample, samples, levels.AsSpan(0, count));
                eight = levels.AsSpan(0, count);
            }

            _layout.ToPixels(eight, bytes);
            var height = count / _layout.Channels / box.Width;
            take(new PixelRegion(bytes, 4, new PixelBox(box.Left, top, box.Width, height), 4 * box.Width));
            return true;
        });
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _file.Dispose();
        base.Dispose(disposing);
    }

    private static VipsImage Open(FileBytes file, string name, string format, DecodingLimits limits, Func<Image, VipsImage> make)
    {
        if (Failure.Value is { } failure)
            throw new ImageUnreadableException(name, $"{format} needs libvips, which does not load here ({failure.Message})", failure);
        try
        {
            using var encoded = new EncodedBytes(file);
            ImageDecoder.Check(name, encoded.Image.Width, encoded.Image.Height, limits);
            return make(encoded.Image);
        }
        catch (VipsException e)
        {
            throw new ImageUnreadableException(
                name, $"the {format} header is damaged or cut short, or of a kind that is not read ({FirstLine(e)}).", e);
        }
    }

    /// <summary>The first line that says more than which of libvips's functions failed.</summary>
    private static string FirstLine(VipsException e)
    {
        var lines = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.FirstOrDefault(line => !line.StartsWith("unable to", StringComparison.Ordinal)) ?? lines.FirstOrDefault() ?? "";
    }

    /// <summary>How samples become levels, which all of them have to be seen for; null where they are levels already.</summary>
    private SampleScale? Scale()
    {
        if (_sample == Enums.BandFormat.Uchar || _scale is not null) return _scale;
        var range = new SampleRange();
        ReadRows(PixelBox.Whole(StoredWidth, StoredHeight), RowsOf(PixelBuffer.BandBytes, RowBytes, StoredHeight), (samples, _) =>
        {
            SampleScale.Look(_sample, samples, _layout, ref range);
            return !SampleScale.IsKnown(_sample, range);
        });
        _scale = SampleScale.Of(_sample, range, out var reason) ?? throw new ImageUnreadableException(_name, $"the {Format}'s samples {reason}");
        return _scale;
    }

    /// <summary>Decodes rows from the top until they are all read, or <paramref name="take"/> has enough.</summary>
    private void ReadRows(PixelBox box, int rows, TakeSamples take)
    {
        try
        {
            using var encoded = new EncodedBytes(_file);
            using var region = Region.New(encoded.Image);
            var garbage = 0L;
            for (var top = box.Top; top < box.Top + box.Height; top += rows)
            {
                var samples = region.Fetch(box.Left, top, box.Width, Math.Min(rows, box.Top + box.Height - top));
                if (!take(samples, top)) return;
                garbage += samples.Length;
                if (garbage < MostGarbage) continue;
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
                garbage = 0;
            }
        }
        catch (VipsException e)
        {
            throw new ImageUnreadableException(_name, $"the {Format} data is damaged or cut short ({FirstLine(e)}).", e);
        }
    }

    /// <summary>A JPEG of an image, made row by row, where SkiaSharp's encoder would hold three more bytes of every pixel; null where it
    /// refuses.</summary>
    public static byte[]? Jpeg(RgbImage image, int quality)
    {
        try
        {
            using var pixels = Image.NewFromMemory(image.Pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
            using var rgb = pixels.Copy(interpretation: Enums.Interpretation.Srgb);
            return rgb.JpegsaveBuffer(q: quality, subsampleMode: Enums.ForeignSubsample.On);
        }
        catch (VipsException)
        {
            return null;
        }
    }

    private static Exception? Start()
    {
        try
        {
            if (!ModuleInitializer.VipsInitialized) return ModuleInitializer.Exception ?? new DllNotFoundException("libvips is missing.");
            NetVips.NetVips.Concurrency = 1;
            Cache.Max = 0;
            // What is wrong with an image is said in our exception, not on the console.
            Log.SetLogHandler("VIPS", Enums.LogLevelFlags.All, (_, _, _) => { });
            return null;
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            return e;
        }
    }

    /// <summary>An encoded image that libvips reads from our memory, from top to bottom.</summary>
    private sealed class EncodedBytes : IDisposable
    {
        private readonly UnmanagedMemoryStream _stream;

        public EncodedBytes(FileBytes file)
        {
            unsafe
            {
                _stream = new UnmanagedMemoryStream((byte*)file.Address, file.Length);
            }

            try
            {
                Image = Image.NewFromStream(_stream, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error);
            }
            catch
            {
                _stream.Dispose();
                throw;
            }
        }

        public Image Image { get; }

        public void Dispose()
        {
            Image.Dispose();
            _stream.Dispose();
        }
    }
}
