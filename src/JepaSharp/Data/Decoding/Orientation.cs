namespace JepaSharp.Data.Decoding;

/// <summary>The EXIF orientation (tag 0x0112, values 1 to 8): how stored pixels are turned and mirrored to be seen upright.</summary>
/// <remarks>
/// A shown pixel (x, y) lies in the stored image at (a, b), where (a, b) is (y, x) if the orientation swaps the axes and (x, y) if not,
/// then counted from the right if it mirrors columns and from the bottom if it mirrors rows.
/// </remarks>
/// <param name="SwapsAxes">Whether width and height change places.</param>
/// <param name="MirrorsColumns">Whether stored columns are counted from the right.</param>
/// <param name="MirrorsRows">Whether stored rows are counted from the bottom.</param>
internal readonly record struct Orientation(bool SwapsAxes, bool MirrorsColumns, bool MirrorsRows)
{
    /// <summary>The orientation of an EXIF value; anything but 2 to 8 is upright.</summary>
    public static Orientation OfExif(int value) => value switch
    {
        2 => new(false, true, false),
        3 => new(false, true, true),
        4 => new(false, false, true),
        5 => new(true, false, false),
        6 => new(true, false, true),
        7 => new(true, true, true),
        8 => new(true, true, false),
        _ => default,
    };

    public bool IsUpright => this == default;

    /// <summary>Where a box of the shown image lies in the stored image.</summary>
    public PixelBox ToStored(PixelBox shown, int storedWidth, int storedHeight)
    {
        var box = SwapsAxes ? new PixelBox(shown.Top, shown.Left, shown.Height, shown.Width) : shown;
        return Mirror(box, storedWidth, storedHeight);
    }

    /// <summary>Where a box of the stored image lies in the shown image.</summary>
    public PixelBox ToShown(PixelBox stored, int storedWidth, int storedHeight)
    {
        var box = Mirror(stored, storedWidth, storedHeight);
        return SwapsAxes ? new PixelBox(box.Top, box.Left, box.Height, box.Width) : box;
    }

    /// <summary>Writes rows of a stored region of four-byte pixels to where they are shown.</summary>
    /// <param name="rows">Stored pixels; each row begins <paramref name="stride"/> pixels behind the one before.</param>
    /// <param name="stride">Pixels from one row to the next.</param>
    /// <param name="first">Which row of the region the first one is.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="width">W of the stored region.</param>
    /// <param name="height">H of the stored region.</param>
    /// <param name="shown">[H, W] pixels, or [W, H] where the axes change places.</param>
    public void Apply(ReadOnlySpan<uint> rows, int stride, int first, int count, int width, int height, Span<uint> shown)
    {
        for (var y = 0; y < count; y++)
        {
            var row = rows.Slice(y * stride, width);
            var line = MirrorsRows ? height - 1 - (first + y) : first + y;
            var (start, step) = SwapsAxes ? (line, height) : (line * width, 1);
            if (MirrorsColumns) (start, step) = (start + ((width - 1) * step), -step);
            for (var x = 0; x < width; x++, start += step) shown[start] = row[x];
        }
    }

    private PixelBox Mirror(PixelBox box, int width, int height) => box with
    {
        Left = MirrorsColumns ? width - box.Left - box.Width : box.Left,
        Top = MirrorsRows ? height - box.Top - box.Height : box.Top,
    };
}

/// <summary>What EXIF data says of an image: a TIFF file without pixels, with or without "Exif" and two zeros in front.</summary>
internal static class Exif
{
    private const int OrientationTag = 0x0112;

    /// <summary>The orientation; upright where none is given.</summary>
    public static Orientation OrientationOf(ReadOnlySpan<byte> exif)
    {
        if (exif.StartsWith("Exif\0\0"u8)) exif = exif[6..];
        return TiffDirectory.First(exif) is { } directory ? Orientation.OfExif((int)directory.Value(OrientationTag, 1)) : default;
    }
}
