using JepaSharp.Data.Decoding;

namespace JepaSharp.Data.Sources;

/// <summary>An image whose pixels are already at hand.</summary>
/// <param name="pixels">The image; handed out as it is.</param>
internal sealed class PixelImage(RgbImage pixels) : OpenedImage
{
    public override int Width => pixels.Width;

    public override int Height => pixels.Height;

    public override RgbImage Decode() => pixels;

    public override long MemoryToDecode(in DecodeRequest request) => 0;

    public override PixelRegion DecodeRegion(in DecodeRequest request, PixelBuffer buffer) => PixelRegion.Of(pixels);
}
