namespace JepaSharp.Data.Decoding;

/// <summary>Memory that decoded pixels are written to, kept and used again from image to image. One for each thread.</summary>
public sealed class PixelBuffer
{
    // Two pixels are loaded at a time; the last load may reach this far behind the last pixel.
    internal const int Padding = 16;
    private const int KeptAtMost = 64 << 20;

    private byte[] _bytes = [];

    /// <summary>Room for <paramref name="count"/> bytes and a little padding, with arbitrary content.</summary>
    internal byte[] Reserve(long count)
    {
        var needed = checked((int)(count + Padding));
        if (_bytes.Length >= needed && (_bytes.Length <= KeptAtMost || needed > KeptAtMost)) return _bytes;
        return _bytes = GC.AllocateUninitializedArray<byte>(needed > KeptAtMost ? needed : Math.Min(KeptAtMost, needed + (needed / 2)));
    }
}
