namespace JepaSharp.Kernels;

/// <summary>Memory outside the managed heap, aligned to pages; grows when asked for more, and then forgets what it held.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private byte* _memory;
    private nint _capacity;

    /// <summary>At least so many bytes; the same memory as before where that suffices.</summary>
    /// <exception cref="InsufficientMemoryException">The system has no more.</exception>
    public byte* Take(nint bytes)
    {
        if (bytes <= _capacity) return _memory;
        Dispose();
        // A little more than asked for: masks differ in length from batch to batch. What is not touched takes no room.
        var capacity = (bytes + (bytes >> 3) + 4095) & ~(nint)4095;
        _memory = (byte*)MappedMemory.Take(capacity);
        _capacity = capacity;
        return _memory;
    }

    /// <summary>The same as float32 numbers.</summary>
    public float* TakeFloats(nint count) => (float*)Take(count * sizeof(float));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_memory != null) MappedMemory.Return((nint)_memory, _capacity);
        _memory = null;
        _capacity = 0;
    }
}

/// <summary>One thread's working memory: handed out piece by piece, taken back all at once.</summary>
internal sealed unsafe class Scratch : IDisposable
{
    private const nint BlockSize = 1 << 20;
    private readonly List<(NativeBuffer Buffer, nint Size)> _blocks = [];
    private int _block;
    private nint _used;

    /// <summary>Takes everything back.</summary>
    public void Clear() => (_block, _used) = (0, 0);

    /// <summary>How much is handed out: to come back to with <see cref="Return"/>.</summary>
    public (int Block, nint Used) Mark => (_block, _used);

    /// <summary>Takes back what was handed out since <paramref name="mark"/>.</summary>
    public void Return((int Block, nint Used) mark) => (_block, _used) = mark;

    /// <summary>So many bytes, aligned to cache lines, not cleared.</summary>
    public byte* Take(nint bytes)
    {
        // Odd numbers of cache lines apart, so that equal pieces do not fall onto the same cache sets.
        bytes = ((bytes + 63) & ~63) + 64;
        while (true)
        {
            if (_block == _blocks.Count)
            {
                var size = Math.Max(BlockSize, bytes);
                var added = new NativeBuffer();
                added.Take(size);
                _blocks.Add((added, size));
            }

            var (buffer, capacity) = _blocks[_block];
            if (_used + bytes <= capacity)
            {
                var place = buffer.Take(capacity) + _used;
                _used += bytes;
                return place;
            }

            (_block, _used) = (_block + 1, 0);
        }
    }

    /// <summary>So many float32 numbers.</summary>
    public float* TakeFloats(nint count) => (float*)Take(count * sizeof(float));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (buffer, _) in _blocks) buffer.Dispose();
        _blocks.Clear();
        Clear();
    }
}
