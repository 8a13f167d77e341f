namespace JepaSharp.Tests.Data;

/// <summary>GIFs of 128 colours or fewer, packed with a new dictionary so often that every code is a colour.</summary>
internal static class MadeGif
{
    private const int ColoursBits = 7;

    /// <summary>A GIF of one frame on a canvas.</summary>
    /// <param name="canvas">W and H of the canvas.</param>
    /// <param name="frame">Left, top, W and H of the frame.</param>
    /// <param name="palette">128 colours or fewer, three bytes each.</param>
    /// <param name="indices">[H, W] of the frame, in the order that they are stored in.</param>
    /// <param name="transparent">The transparent colour's index; null for none.</param>
    /// <param name="isInterlaced">Whether the head says that rows are stored in four passes.</param>
    /// <param name="frames">How often the frame is there.</param>
    public static byte[] Write(
        (int Width, int Height) canvas, (int Left, int Top, int Width, int Height) frame, byte[] palette, byte[] indices, int? transparent = null,
        bool isInterlaced = false, int frames = 1)
    {
        byte[] Short(int value) => BitConverter.GetBytes((ushort)value);
        byte[] control = transparent is { } index ? [0x21, 0xf9, 4, 1, 0, 0, (byte)index, 0] : [];
        byte[] one =
        [
            .. control, 0x2c, .. Short(frame.Left), .. Short(frame.Top), .. Short(frame.Width), .. Short(frame.Height),
            (byte)(isInterlaced ? 0x40 : 0),
            ColoursBits, .. Blocks(Codes(indices)), 0,
        ];
        return
        [
            .. "GIF89a"u8, .. Short(canvas.Width), .. Short(canvas.Height), 0x80 | (ColoursBits - 1), 0, 0, .. palette,
            .. new byte[(3 << ColoursBits) - palette.Length],
            .. Enumerable.Repeat(one, frames).SelectMany(b => b), 0x3b,
        ];
    }

    /// <summary>Codes of eight bits: 128 forgets all, 129 ends. After 120 colours no code needs a ninth bit yet.</summary>
    private static byte[] Codes(byte[] indices)
    {
        const int Clear = 1 << ColoursBits, Run = 120;
        var codes = new List<byte>();
        for (var i = 0; i < indices.Length; i++)
        {
            if (i % Run == 0) codes.Add(Clear);
            codes.Add(indices[i]);
        }

        codes.Add(Clear + 1);
        return [.. codes];
    }

    private static IEnumerable<byte> Blocks(byte[] bytes) => bytes.Chunk(255).SelectMany(block => (byte[])[(byte)block.Length, .. block]);
}
