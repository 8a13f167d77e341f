using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using NetVips;

namespace JepaSharp.Data.Decoding;

/// <summary>An image that libvips decodes: TIFF, which SkiaSharp does not know. Always decoded whole.</summary>
internal sealed class VipsImage : OpenedImage
{
    private static readonly Lazy<Exception?> Failure = new(Start);

    private readonly string _name;
    private readonly FileBytes _file;
    private readonly Image _image;

    private VipsImage(string name, string format, FileBytes file, Image image) => (_name, Format, _file, _image) = (name, format, file, image);

    public override int Width => _image.Width;

    public override int Height => _image.Height;

    public override string Format { get; }

    public override uint ContentChecksum() => Crc32C.Of(_file.Span);

    /// <summary>Takes the file over, unless it throws.</summary>
    public static VipsImage Open(FileBytes file, string name, string format, DecodingLimits limits)
    {
        if (Failure.Value is { } failure)
            throw new ImageUnreadableException(name, $"{format} needs libvips, which does not load here ({failure.Message})", failure);
        try
        {
            using var stored = Image.NewFromBuffer(file.Span.ToArray(), failOn: Enums.FailOn.Truncated);
            ImageDecoder.Check(name, stored.Width, stored.Height, limits);
            return new VipsImage(name, format, file, stored.Autorot());
        }
        catch (VipsException e)
        {
            throw new ImageUnreadableException(name, $"the {format} header is damaged or cut short ({FirstLine(e)}).", e);
        }
    }

    public override string Name => _name;

    // The file twice (libvips gets a copy), the samples as they are stored, and three bytes a pixel twice.
    public override long MemoryToDecode(in DecodeRequest request) =>
        (2L * _file.Length) + ((long)_image.Width * _image.Height * ((_image.Bands * BytesOfSample) + 6));

    private int BytesOfSample => _image.Format switch
    {
        Enums.BandFormat.Uchar or Enums.BandFormat.Char => 1,
        Enums.BandFormat.Ushort or Enums.BandFormat.Short => 2,
        Enums.BandFormat.Uint or Enums.BandFormat.Int or Enums.BandFormat.Float => 4,
        _ => 16,
    };

    public override RgbImage Decode()
    {
        try
        {
            using var rgb = ToRgb(_image);
            return new RgbImage(rgb.Width, rgb.Height, rgb.WriteToMemory<byte>());
        }
        catch (VipsException e)
        {
            throw new ImageUnreadableException(_name, $"the {Format} data is damaged or cut short ({FirstLine(e)}).", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _image.Dispose();
            _file.Dispose();
        }

        base.Dispose(disposing);
    }

    private static Image ToRgb(Image image)
    {
        using var isSrgb = image.Interpretation == Enums.Interpretation.Cmyk ? image.Colourspace(Enums.Interpretation.Srgb) : image.Copy();
        using var bytes = isSrgb.Format switch
        {
            Enums.BandFormat.Uchar => isSrgb.Copy(),
            Enums.BandFormat.Ushort => (isSrgb >> 8).Cast(Enums.BandFormat.Uchar),
            _ => isSrgb.Cast(Enums.BandFormat.Uchar),
        };
        using var first = bytes.ExtractBand(0);
        return bytes.Bands < 3 ? first.Bandjoin(first, first) : bytes.ExtractBand(0, n: 3);
    }

    private static string FirstLine(VipsException e) => e.Message.Split('\n', 2)[0].Trim();

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
}
