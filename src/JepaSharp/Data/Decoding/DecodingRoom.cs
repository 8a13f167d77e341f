namespace JepaSharp.Data.Decoding;

/// <summary>What one opened image has of a <see cref="DecodingMemory"/>. For one thread.</summary>
internal sealed class DecodingRoom(DecodingMemory memory) : IDisposable
{
    /// <summary>Where the bytes are from.</summary>
    public DecodingMemory Memory => memory;

    /// <summary>Bytes that are held.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether they are those of the one place.</summary>
    public bool IsAlone { get; set; }

    /// <summary>Waits until so many bytes in all may be used; never gives any back.</summary>
    public void Grow(long bytes)
    {
        if (bytes <= Bytes) return;
        memory.Change(this, bytes);
        Bytes = bytes;
    }

    public void Dispose()
    {
        memory.Leave(this);
        (Bytes, IsAlone) = (0, false);
    }
}
