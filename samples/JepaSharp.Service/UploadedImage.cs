using SkiaSharp;

namespace JepaSharp.Service;

/// <summary>An image that somebody sent: bounded in bytes and pixels, and decoded only if it is of a kind that is expected.</summary>
public static class UploadedImage
{
    /// <summary>Width times height, at most.</summary>
    public const long MostPixels = 40_000_000;

    private static readonly string[] Types = ["image/jpeg", "image/png", "image/webp", "application/octet-stream"];
    private static readonly SKEncodedImageFormat[] Formats = [SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Png, SKEncodedImageFormat.Webp];

    /// <summary>What is said of a body that is too large.</summary>
    public static string TooLarge(long most) => $"The image has more than {most >> 20} MB. Send a smaller one.";

    /// <summary>Reads a request's body.</summary>
    /// <exception cref="UploadRefusedException">It is too large, empty or of another type.</exception>
    public static async Task<byte[]> ReadAsync(HttpRequest request, long most)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!Types.Contains(request.ContentType?.Split(';')[0].Trim(), StringComparer.OrdinalIgnoreCase))
            throw new UploadRefusedException(
                415, $"The body is said to be {request.ContentType ?? "nothing"}; send the image's bytes as {string.Join(", ", Types)}.");
        if (request.ContentLength > most) throw new UploadRefusedException(413, TooLarge(most));
        using var bytes = new MemoryStream();
        var buffer = new byte[1 << 16];
        int count;
        while ((count = await request.Body.ReadAsync(buffer).ConfigureAwait(false)) > 0)
        {
            if (bytes.Length + count > most) throw new UploadRefusedException(413, TooLarge(most));
            bytes.Write(buffer, 0, count);
        }

        return bytes.Length > 0 ? bytes.ToArray() : throw new UploadRefusedException(400, "The body is empty; send an image's bytes.");
    }

    /// <summary>Decodes it, upright, without its transparency.</summary>
    /// <exception cref="UploadRefusedException">It is no JPEG, PNG or WebP, has too many pixels, or is damaged.</exception>
    public static Pixels Decode(byte[] bytes)
    {
        using var data = SKData.CreateCopy(bytes);
        using var codec = SKCodec.Create(data);
        if (codec is null || !Formats.Contains(codec.EncodedFormat))
            throw new UploadRefusedException(415, "These bytes are no JPEG, PNG or WebP image.");
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if ((long)width * height > MostPixels)
            throw new UploadRefusedException(422, $"The image has {width}x{height} pixels; at most {MostPixels / 1_000_000} million are taken.");
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul, colorspace: null);
        using var bitmap = new SKBitmap(info);
        if (codec.GetPixels(info, bitmap.GetPixels()) != SKCodecResult.Success)
            throw new UploadRefusedException(422, "The image is damaged: it cannot be decoded to its end.");
        return Upright(bitmap.GetPixelSpan(), width, height, codec.EncodedOrigin);
    }

    /// <summary>RGB of RGBA, turned and mirrored as the camera noted (EXIF's eight orientations).</summary>
    private static Pixels Upright(ReadOnlySpan<byte> rgba, int width, int height, SKEncodedOrigin origin)
    {
        var turned = origin >= SKEncodedOrigin.LeftTop;
        var (w, h) = turned ? (height, width) : (width, height);
        var rgb = new byte[w * h * 3];
        for (var y = 0; y < h; y++)
        {
            for (var x = 0; x < w; x++)
            {
                var (column, row) = origin switch
                {
                    SKEncodedOrigin.TopRight => (width - 1 - x, y),
                    SKEncodedOrigin.BottomRight => (width - 1 - x, height - 1 - y),
                    SKEncodedOrigin.BottomLeft => (x, height - 1 - y),
                    SKEncodedOrigin.LeftTop => (y, x),
                    SKEncodedOrigin.RightTop => (y, height - 1 - x),
                    SKEncodedOrigin.RightBottom => (width - 1 - y, height - 1 - x),
                    SKEncodedOrigin.LeftBottom => (width - 1 - y, x),
                    _ => (x, y),
                };
                rgba.Slice(((row * width) + column) * 4, 3).CopyTo(rgb.AsSpan(((y * w) + x) * 3));
            }
        }

        return new Pixels(w, h, rgb);
    }
}

/// <summary>A decoded image.</summary>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Rgb">[H, W, 3].</param>
public sealed record Pixels(int Width, int Height, byte[] Rgb);

/// <summary>An upload that is not taken: a status from 400 to 499 and a sentence.</summary>
public sealed class UploadRefusedException(int status, string sentence) : Exception(sentence)
{
    /// <summary>HTTP's number for it.</summary>
    public int Status { get; } = status;
}
