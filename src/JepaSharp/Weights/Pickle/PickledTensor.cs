using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Weights;

/// <summary>The bytes that one or several tensors of a checkpoint are views of: one uncompressed file inside the archive.</summary>
internal sealed class PickledStorage(MappedFile file, StoredZip archive, StoredZipEntry entry, ScalarType type, long count)
{
    public ScalarType Type { get; } = type;

    public long Count { get; } = count;

    /// <summary>Copies bytes, after comparing the whole storage with its checksum once.</summary>
    public void CopyTo(long offset, Span<byte> destination)
    {
        archive.Verify(entry);
        file.CopyTo(entry.Offset + offset, destination);
    }
}

/// <summary>A tensor of a PyTorch checkpoint: a view of a storage, fetched when asked for.</summary>
public sealed class PickledTensor : LazyTensor
{
    private const int MostDimensions = 32;
    private readonly PickledStorage _storage;
    private readonly long _extent;

    private PickledTensor(PickledStorage storage, long offset, long[] shape, long[] strides, long extent)
        : base(storage.Type, shape) => (_storage, StorageOffset, Strides, _extent) = (storage, offset, strides, extent);

    /// <summary>The first element's position in the storage, in elements.</summary>
    public long StorageOffset { get; }

    /// <summary>For each dimension, how many elements of the storage apart its neighbours lie.</summary>
    public IReadOnlyList<long> Strides { get; }

    /// <summary>Whether another tensor is a view of the same storage.</summary>
    public bool SharesStorageWith(PickledTensor other) => ReferenceEquals(_storage, other._storage);

    /// <summary>Checks a description from a pickle: every element must lie in the storage, and there must be no more of them than it holds.</summary>
    internal static PickledTensor Create(string file, PickledStorage storage, long offset, object?[] shape, object?[] strides)
    {
        if (shape.Length > MostDimensions || shape.Length != strides.Length || !shape.All(size => size is >= 0L)
            || !strides.All(stride => stride is >= 0L) || offset < 0)
            throw new WeightsFileException(
                file, "a tensor whose offset, shape or strides are not whole numbers from 0", $"them, for at most {MostDimensions} dimensions");
        var (sizes, steps) = (shape.Cast<long>().ToArray(), strides.Cast<long>().ToArray());
        var shown =
            $"a tensor of shape [{string.Join(", ", sizes)}], strides [{string.Join(", ", steps)}], offset {offset} in a storage of {storage.Count}";
        // Larger than its storage: an expanded tensor. A few bytes could ask for any amount of memory.
        if (!ElementType.TryCount(sizes, out var count) || count > storage.Count)
            throw new WeightsFileException(file, shown, "no more elements than the storage has: call .contiguous() before saving an expanded tensor");
        Int128 extent = count == 0 ? 0 : 1;
        for (var i = 0; i < sizes.Length && count > 0; i++) extent += (Int128)(sizes[i] - 1) * steps[i];
        if (offset + extent > storage.Count) throw new WeightsFileException(file, shown, "every element inside the storage");
        return new PickledTensor(storage, offset, sizes, steps, (long)extent);
    }

    private bool IsContiguous
    {
        get
        {
            var expected = 1L;
            for (var i = Shape.Count - 1; i >= 0; i--)
            {
                if (Shape[i] != 1 && Strides[i] != expected) return false;
                expected *= Shape[i];
            }

            return true;
        }
    }

    private protected override void Fill(Span<byte> destination)
    {
        if (IsContiguous)
        {
            FillRange(0, destination);
            return;
        }

        using var scope = NewDisposeScope();
        var storage = empty([_extent], Type);
        if (storage.bytes.Length > 0) _storage.CopyTo(StorageOffset * ElementType.Size(Type), storage.bytes);
        storage.as_strided(Shape.ToArray(), Strides.ToArray()).contiguous().bytes.CopyTo(destination);
    }

    private protected override void FillRange(long offset, Span<byte> destination)
    {
        if (IsContiguous) _storage.CopyTo(StorageOffset * ElementType.Size(Type) + offset, destination);
        else base.FillRange(offset, destination);
    }
}
