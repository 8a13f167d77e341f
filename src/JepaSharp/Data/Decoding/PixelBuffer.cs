namespace JepaSharp.Data.Decoding;

/// <summary>Memory that decoded pixels are written to, kept and used again from image to image. One for each thread.</summary>
public sealed class PixelBuffer
{
    // Two pixels are loaded at a time; the last load may reach this far behind the last pixel.
    internal const int Padding = 16;
    private const int MostKept = 64 << 20;

    // Beyond this, a larger band of rows makes nothing faster.
    private const int LargestBand = 4 << 20;

    private readonly int _kept;
    private byte[] _bytes = [];

    /// <summary>A buffer that keeps up to 64 MiB.</summary>
    public PixelBuffer()
        : this(MostKept)
    {
    }

    /// <summary>A buffer.</summary>
    /// <param name="kept">Bytes that it keeps at most; what is larger is let go by <see cref="Trim"/>.</param>
    internal PixelBuffer(long kept) => _kept = (int)Math.Min(kept, MostKept);

    /// <summary>Bytes of the rows that are decoded at a time where an image can be decoded by rows; at least one row.</summary>
    internal static int BandBytes => LargestBand;

    /// <summary>Room for <paramref name="count"/> bytes and a little padding, with arbitrary content.</summary>
    internal byte[] Reserve(long count)
    {
        var needed = checked((int)(count + Padding));
        if (_bytes.Length >= needed && (_bytes.Length <= _kept || needed > _kept)) return _bytes;
        _bytes = [];
        return _bytes = GC.AllocateUninitializedArray<byte>(needed > _kept ? needed : Math.Min(_kept, needed + (needed / 2)));
    }

    /// <summary>Lets go of more than may be kept.</summary>
    internal void Trim()
    {
        if (_bytes.Length > _kept) _bytes = [];
    }
}
