using JepaSharp.Data;

namespace JepaSharp.Pictures;

/// <summary>Drawing on an <see cref="RgbImage"/>: rectangles, copies and small text. What lies outside the image is not drawn.</summary>
internal static class Canvas
{
    public static RgbImage New(int width, int height, Rgb colour)
    {
        var image = new RgbImage(width, height);
        image.Fill(PixelBox.Whole(width, height), colour);
        return image;
    }

    public static void Set(this RgbImage image, int x, int y, Rgb colour)
    {
        if ((uint)x >= (uint)image.Width || (uint)y >= (uint)image.Height) return;
        var pixel = image.Row(y).Slice(3 * x, 3);
        (pixel[0], pixel[1], pixel[2]) = (colour.Red, colour.Green, colour.Blue);
    }

    public static Rgb Get(this RgbImage image, int x, int y)
    {
        var pixel = image.Row(y).Slice(3 * x, 3);
        return new Rgb(pixel[0], pixel[1], pixel[2]);
    }

    public static void Fill(this RgbImage image, PixelBox box, Rgb colour)
    {
        for (var y = box.Top; y < box.Top + box.Height; y++)
            for (var x = box.Left; x < box.Left + box.Width; x++) image.Set(x, y, colour);
    }

    /// <summary>Draws <paramref name="text"/> with its top left corner at (x, y), each dot of the font <paramref name="size"/> pixels wide.</summary>
    public static void Write(this RgbImage image, string text, int x, int y, int size, Rgb colour)
    {
        foreach (var letter in text)
        {
            var rows = DotFont.Rows(letter);
            for (var row = 0; row < rows.Length; row++)
            {
                for (var dot = 0; dot < DotFont.Width; dot++)
                    if ((rows[row] >> (DotFont.Width - 1 - dot) & 1) != 0)
                        image.Fill(new PixelBox(x + (dot * size), y + (row * size), size, size), colour);
            }

            x += (DotFont.Width + 1) * size;
        }
    }
}
