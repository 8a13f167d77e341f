using System.Runtime.InteropServices;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using SkiaSharp;

namespace JepaSharp.Data.Decoding;

/// <summary>An image that SkiaSharp decodes. Of a JPEG only the rows and columns asked for are reconstructed, and nothing behind the last row is read.</summary>
internal sealed class SkiaImage : OpenedImage
{
    // The first and last columns of a partial decode lack the neighbour that smooth chroma upsampling looks at.
    private const int ColumnMargin = 8;

    private readonly string _name;
    private readonly FileBytes _file;
    private readonly SKData _data;
    private readonly SKCodec _codec;
    private readonly Orientation _orientation;
    private readonly int _storedWidth, _storedHeight;

    private SkiaImage(string name, string format, FileBytes file, SKData data, SKCodec codec)
    {
        (_name, Format, _file, _data, _codec) = (name, format, file, data, codec);
        (_storedWidth, _storedHeight) = (codec.Info.Width, codec.Info.Height);
        _orientation = Orientation.OfExif((int)codec.EncodedOrigin);
    }

    public override int Width => _orientation.SwapsAxes ? _storedHeight : _storedWidth;

    public override int Height => _orientation.SwapsAxes ? _storedWidth : _storedHeight;

    public override string Format { get; }

    public override uint ContentChecksum() => Crc32C.Of(_file.Span);

    public override string Name => _name;

    /// <summary>Takes the file over, unless it throws.</summary>
    public static SkiaImage Open(FileBytes file, string name, string format, DecodingLimits limits)
    {
        var data = SKData.Create(file.Address, file.Length);
        var codec = SKCodec.Create(new SKMemoryStream(data), out var result);
        if (codec is null)
        {
            data.Dispose();
            throw new ImageUnreadableException(name, $"the {format} header is damaged or cut short ({InWords(result)}).");
        }

        try
        {
            ImageDecoder.Check(name, codec.Info.Width, codec.Info.Height, limits);
            return new SkiaImage(name, format, file, data, codec);
        }
        catch
        {
            codec.Dispose();
            data.Dispose();
            throw;
        }
    }

    public override RgbImage Decode() =>
        DecodeRegion(new DecodeRequest(PixelBox.Whole(Width, Height), Width, Height, AllowScaling: false), new PixelBuffer()).ToImage();

    public override PixelRegion DecodeRegion(in DecodeRequest request, PixelBuffer buffer)
    {
        var reduction = ReductionFor(request);
        if (_orientation.IsUpright) return DecodeStored(request.Box, reduction, buffer);

        var stored = DecodeStored(_orientation.ToStored(request.Box, _storedWidth, _storedHeight), reduction, new PixelBuffer());
        var (width, height) = SizeAt(reduction);
        var shown = _orientation.ToShown(stored.Box, width, height);
        var bytes = buffer.Reserve(4L * shown.Width * shown.Height);
        _orientation.Apply(Pixels(stored.Bytes), stored.Box.Width, stored.Box.Height, Pixels(bytes));
        return new PixelRegion(bytes, 4, shown, 4 * shown.Width, reduction);
    }

    public override long MemoryToDecode(in DecodeRequest request)
    {
        var reduction = ReductionFor(request);
        var (width, height) = SizeAt(reduction);
        var box = Reduce(_orientation.ToStored(request.Box, _storedWidth, _storedHeight), reduction);
        var whole = 4L * width * height;
        var (region, within) = Format switch
        {
            "jpeg" => (Math.Min(whole, 4L * (box.Width + (2 * ColumnMargin)) * box.Height), JpegFrame.CoefficientBytes(_file.Span)),
            "png" when !IsInterlaced(_file.Span) => (4L * width * box.Height, 0),
            _ => (whole, whole), // decoded whole, and the decoder may keep as much again
        };
        return _file.Length + within + (_orientation.IsUpright ? region : 2 * region);
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

    private static Span<uint> Pixels(byte[] bytes) => MemoryMarshal.Cast<byte, uint>(bytes.AsSpan());

    // Where stored sides are no multiple of the reduction, mirroring shifts the image by a part of a reduced pixel: only where nothing else fits.
    private int ReductionFor(in DecodeRequest request) => Format != "jpeg" ? 1 : _orientation.IsUpright ? request.Reduction : Math.Max(1, request.LeastReduction);

    private (int Width, int Height) SizeAt(int reduction)
    {
        if (reduction == 1) return (_storedWidth, _storedHeight);
        var size = _codec.GetScaledDimensions(1f / reduction);
        return (size.Width, size.Height);
    }

    // The last byte of the head chunk of a PNG: 8 bytes of signature, 8 of the chunk, then sizes (8), depth, colour, compression, filter.
    private static bool IsInterlaced(ReadOnlySpan<byte> png) => png.Length > 28 && png[28] != 0;

    private PixelRegion DecodeStored(PixelBox box, int reduction, PixelBuffer buffer)
    {
        var (width, height) = SizeAt(reduction);
        box = Reduce(box, reduction);

        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var isWhole = box.Width == width && box.Height == height;
        if (!isWhole && Format is "jpeg" or "png" && TryDecodeRows(info, box, reduction, buffer, out var region)) return region;

        var bytes = buffer.Reserve(4L * width * height);
        SKCodecResult result;
        unsafe
        {
            fixed (byte* first = bytes) result = _codec.GetPixels(info, (IntPtr)first, info.RowBytes, SKCodecOptions.Default);
        }

        Require(result);
        return new PixelRegion(bytes, 4, PixelBox.Whole(width, height), info.RowBytes, reduction);
    }

    private static PixelBox Reduce(PixelBox box, int reduction)
    {
        if (reduction == 1) return box;
        int left = box.Left / reduction, top = box.Top / reduction;
        return new PixelBox(
            left,
            top,
            ((box.Left + box.Width + reduction - 1) / reduction) - left,
            ((box.Top + box.Height + reduction - 1) / reduction) - top);
    }

    private bool TryDecodeRows(SKImageInfo info, PixelBox box, int reduction, PixelBuffer buffer, out PixelRegion region)
    {
        var (left, right) = (0, info.Width);
        var options = SKCodecOptions.Default;
        if (Format == "jpeg")
        {
            left = Math.Max(0, box.Left - ColumnMargin);
            right = Math.Min(info.Width, box.Left + box.Width + ColumnMargin);
            options = new SKCodecOptions(new SKRectI(left, 0, right, info.Height));
        }

        region = default;
        if (_codec.StartScanlineDecode(info, options) != SKCodecResult.Success || _codec.ScanlineOrder != SKCodecScanlineOrder.TopDown) return false;
        var stride = 4 * (right - left);
        var bytes = buffer.Reserve((long)stride * box.Height);
        if (box.Top > 0 && !_codec.SkipScanlines(box.Top)) Require(SKCodecResult.IncompleteInput);
        unsafe
        {
            fixed (byte* first = bytes)
            {
                if (_codec.GetScanlines((IntPtr)first, box.Height, stride) < box.Height) Require(SKCodecResult.IncompleteInput);
            }
        }

        region = new PixelRegion(bytes, 4, new PixelBox(left, box.Top, right - left, box.Height), stride, reduction);
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
