namespace JepaSharp.Data.Sources.Columnar;

/// <summary>Row groups of images as they were read last, up to a number of bytes. A group that is being read is waited for, not read twice.</summary>
/// <param name="budget">Most bytes to keep; the group in use is kept in any case.</param>
/// <param name="read">Reads the images of a (file, group).</param>
/// <param name="sizeOf">Bytes of a (file, group).</param>
internal sealed class RowGroupCache(long budget, Func<(int File, int Group), byte[]?[]> read, Func<(int File, int Group), long> sizeOf)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(int, int), LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();
    private long _bytes;

    /// <summary>The images of a row group.</summary>
    public byte[]?[] Get((int File, int Group) key)
    {
        LinkedListNode<Entry>? node;
        lock (_gate)
        {
            if (_entries.TryGetValue(key, out node))
            {
                _byUse.Remove(node);
            }
            else
            {
                _entries[key] = node = new LinkedListNode<Entry>(new Entry(key, new Lazy<byte[]?[]>(() => read(key)), sizeOf(key)));
                _bytes += node.Value.Bytes;
            }

            _byUse.AddFirst(node);
            while (_bytes > budget && _byUse.Last is { } oldest && oldest != node)
            {
                _byUse.RemoveLast();
                _entries.Remove(oldest.Value.Key);
                _bytes -= oldest.Value.Bytes;
            }
        }

        return node.Value.Images.Value;
    }

    private sealed record Entry((int, int) Key, Lazy<byte[]?[]> Images, long Bytes);
}
