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

    /// <summary>Writes a stored region of four-byte pixels as it is shown.</summary>
    /// <param name="stored">[H, W, 4] as stored, rows without padding.</param>
    /// <param name="width">W of the stored region.</param>
    /// <param name="height">H of the stored region.</param>
    /// <param name="shown">[H, W, 4], or [W, H, 4] where the axes change places.</param>
    public void Apply(ReadOnlySpan<uint> stored, int width, int height, Span<uint> shown)
    {
        var (shownWidth, shownHeight) = SwapsAxes ? (height, width) : (width, height);
        for (var y = 0; y < shownHeight; y++)
        {
            var row = shown.Slice(y * shownWidth, shownWidth);
            for (var x = 0; x < row.Length; x++)
            {
                var (column, line) = SwapsAxes ? (y, x) : (x, y);
                if (MirrorsColumns) column = width - 1 - column;
                if (MirrorsRows) line = height - 1 - line;
                row[x] = stored[(line * width) + column];
            }
        }
    }

    private PixelBox Mirror(PixelBox box, int width, int height) => box with
    {
        Left = MirrorsColumns ? width - box.Left - box.Width : box.Left,
        Top = MirrorsRows ? height - box.Top - box.Height : box.Top,
    };
}
