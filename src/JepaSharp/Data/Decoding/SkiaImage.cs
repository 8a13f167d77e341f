using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using SkiaSharp;

namespace JepaSharp.Data.Decoding;

/// <summary>An image that SkiaSharp decodes. Of a JPEG only the rows and columns asked for are reconstructed, and nothing behind the last row is
/// read.</summary>
internal sealed class SkiaImage : StoredImage
{
    // The first and last columns of a partial decode lack the neighbour that smooth chroma upsampling looks at.
    private const int ColumnMargin = 8;

    private readonly string _name;
    private readonly FileBytes _file;
    private readonly SKData _data;
    private readonly SKCodec _codec;

    private readonly bool _hasFurtherFrames;

    private SkiaImage(string name, string format, FileBytes file, SKData data, SKCodec codec, Orientation orientation, bool hasFurtherFrames)
    {
        _hasFurtherFrames = hasFurtherFrames;
        (_name, Format, _file, _data, _codec, Orientation) = (name, format, file, data, codec, orientation);
        (StoredWidth, StoredHeight) = (codec.Info.Width, codec.Info.Height);
    }

    public override string Format { get; }

    public override uint ContentChecksum() => Crc32C.Of(_file.Span);

    public override string Name => _name;

    public override bool HasFurtherFrames => _hasFurtherFrames || (Format == "webp" && _codec.FrameCount > 1);

    protected override int StoredWidth { get; }

    protected override int StoredHeight { get; }

    /// <summary>Takes the file over, unless it throws.</summary>
    /// <param name="file">The encoded image.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="format">What it is.</param>
    /// <param name="limits">What to refuse.</param>
    /// <param name="orientation">How to turn it; null where SkiaSharp knows.</param>
    /// <param name="hasFurtherFrames">Whether the file is known to hold more than this image.</param>
    public static SkiaImage Open(
        FileBytes file, string name, string format, DecodingLimits limits, Orientation? orientation = null, bool hasFurtherFrames = false)
    {
        var data = SKData.Create(file.Address, file.Length);
        var codec = SKCodec.Create(new SKMemoryStream(data), out var result);
        if (codec is null)
        {
            data.Dispose();
            var kind = format == "jpeg" ? JpegFrame.UnknownKind(file.Span) : null;
            throw new ImageUnreadableException(name, kind ?? $"the {format} header is damaged or cut short ({InWords(result)}).");
        }

        try
        {
            ImageDecoder.Check(name, codec.Info.Width, codec.Info.Height, limits);
            return new SkiaImage(name, format, file, data, codec, orientation ?? Orientation.OfExif((int)codec.EncodedOrigin), hasFurtherFrames);
        }
        catch
        {
            codec.Dispose();
            data.Dispose();
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _codec.Dispose();
            _data.Dispose();
            _file.Dispose();
        }

        base.Dispose(disposing);
    }

    // Where stored sides are no multiple of the reduction, mirroring shifts the image by a part of a reduced pixel: only where nothing else fits.
    protected override int ReductionFor(in DecodeRequest request) =>
        Format != "jpeg" ? 1 : Orientation.IsUpright ? request.Reduction : Math.Max(1, request.LeastReduction);

    protected override (int Width, int Height) SizeAt(int reduction)
    {
        if (reduction == 1) return (StoredWidth, StoredHeight);
        var size = _codec.GetScaledDimensions(1f / reduction);
        return (size.Width, size.Height);
    }

    protected override long StoredMemory(PixelBox box, int reduction)
    {
        var (width, height) = SizeAt(reduction);
        var whole = 4L * width * height;
        return _file.Length + Format switch
        {
            "jpeg" => Band(Math.Min(width, box.Width + (2 * ColumnMargin)), box.Height) + JpegFrame.CoefficientBytes(_file.Span),
            "bmp" => whole, // rows of some kinds can be decoded apart, not of all
            _ => 2 * whole, // decoded whole, and the decoder may keep as much again
        };
    }

    protected override void DecodeStored(PixelBox box, int reduction, PixelBuffer buffer, long bandBytes, TakeBand take)
    {
        var (width, height) = SizeAt(reduction);
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var fitsABand = box.Width == width && box.Height == height && (bandBytes == long.MaxValue || 4L * width * height <= bandBytes);
        if (!fitsABand && Format == "jpeg" && TryDecodeRows(info, box, reduction, buffer, bandBytes, take)) return;

        var bytes = buffer.Reserve(4L * width * height);
        SKCodecResult result;
        unsafe
        {
            fixed (byte* first = bytes) result = _codec.GetPixels(info, (IntPtr)first, info.RowBytes, SKCodecOptions.Default);
        }

        Require(result);
        take(new PixelRegion(bytes, 4, PixelBox.Whole(width, height), info.RowBytes, reduction));
    }

    private static long Band(int width, int rows)
    {
        var stride = 4L * width;
        return stride * RowsOf(PixelBuffer.BandBytes, stride, rows);
    }

    private bool TryDecodeRows(SKImageInfo info, PixelBox box, int reduction, PixelBuffer buffer, long bandBytes, TakeBand take)
    {
        var left = Math.Max(0, box.Left - ColumnMargin);
        var right = Math.Min(info.Width, box.Left + box.Width + ColumnMargin);
        var options = new SKCodecOptions(new SKRectI(left, 0, right, info.Height));
        if (_codec.StartScanlineDecode(info, options) != SKCodecResult.Success || _codec.ScanlineOrder != SKCodecScanlineOrder.TopDown) return false;
        var stride = 4 * (right - left);
        var most = RowsOf(bandBytes, stride, box.Height);
        var bytes = buffer.Reserve((long)stride * most);
        if (box.Top > 0 && !_codec.SkipScanlines(box.Top)) Require(SKCodecResult.IncompleteInput);
        for (var done = 0; done < box.Height;)
        {
            var rows = Math.Min(most, box.Height - done);
            unsafe
            {
                fixed (byte* first = bytes)
                {
                    if (_codec.GetScanlines((IntPtr)first, rows, stride) < rows) Require(SKCodecResult.IncompleteInput);
                }
            }

            take(new PixelRegion(bytes, 4, new PixelBox(left, box.Top + done, right - left, rows), stride, reduction));
            done += rows;
        }

        return true;
    }

    private void Require(SKCodecResult result)
    {
        if (result != SKCodecResult.Success) throw new ImageUnreadableException(_name, $"the {Format} data is {InWords(result)}.");
    }

    private static string InWords(SKCodecResult result) => result switch
    {
        SKCodecResult.IncompleteInput => "cut short",
        SKCodecResult.ErrorInInput or SKCodecResult.InvalidInput => "damaged",
        _ => $"not decodable: {result}",
    };
}
