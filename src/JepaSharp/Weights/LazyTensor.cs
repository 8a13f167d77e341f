using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Weights;

/// <summary>A tensor known by type and shape, whose numbers are fetched when asked for.</summary>
/// <remarks>What every reader hands out and every writer takes, so that a file of gigabytes passes through one tensor at a time.</remarks>
public abstract class LazyTensor
{
    /// <summary>A tensor of a given type and shape.</summary>
    /// <exception cref="ArgumentException">A dimension is negative, the size overflows, or the type has no place in a weights file.</exception>
    protected LazyTensor(ScalarType type, IReadOnlyList<long> shape)
    {
        if (!ElementType.IsKnown(type)) throw new ArgumentException($"{type} is not a type of weights files.", nameof(type));
        if (!ElementType.TryCount(shape, out var count)) throw new ArgumentException("A dimension is negative or the size overflows.", nameof(shape));
        (Type, Shape, Count) = (type, shape, count);
    }

    /// <summary>The element type.</summary>
    public ScalarType Type { get; }

    /// <summary>The sizes of the dimensions; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>How many elements: the product of the dimensions.</summary>
    public long Count { get; }

    /// <summary>How many bytes the elements take.</summary>
    public long ByteCount => Count * ElementType.Size(Type);

    /// <summary>Whether the elements are floating-point numbers.</summary>
    public bool IsFloating => Type is ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float64;

    /// <summary>The tensor as text, for messages: "float32 [3, 8]".</summary>
    public override string ToString() => $"{ElementType.Name(Type)} [{string.Join(", ", Shape)}]";

    /// <summary>Fetches the numbers into a fresh, contiguous tensor on the CPU, which shares memory with nothing.</summary>
    /// <remarks>The tensor belongs to the caller: to the dispose scope it is in, if there is one.</remarks>
    /// <returns>A tensor of <see cref="Type"/> and <see cref="Shape"/>, without gradient.</returns>
    /// <exception cref="WeightsFileException">The file is damaged.</exception>
    /// <exception cref="FileCutShortException">The file has become shorter since it was opened.</exception>
    public Tensor Read()
    {
        RequireSpanSized();
        NativeLibtorch.Load();
        var tensor = empty(Shape.ToArray(), Type);
        try
        {
            if (Count > 0) CopyTo(tensor.bytes);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>Fetches the numbers as bytes: row-major, little-endian, without padding.</summary>
    /// <param name="destination">Exactly <see cref="ByteCount"/> bytes.</param>
    /// <exception cref="ArgumentException">The destination has another size.</exception>
    /// <exception cref="WeightsFileException">The file is damaged.</exception>
    /// <exception cref="FileCutShortException">The file has become shorter since it was opened.</exception>
    public void CopyTo(Span<byte> destination)
    {
        if (destination.Length != ByteCount)
            throw new ArgumentException($"{this} takes {ByteCount} bytes; found room for {destination.Length}.", nameof(destination));
        if (Count > 0) Fill(destination);
    }

    /// <summary>The first <paramref name="count"/> rows from <paramref name="start"/> along the first dimension.</summary>
    /// <returns>Shape [count, ...].</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rows are not all there.</exception>
    public LazyTensor Rows(long start, long count) => new LazyRows(this, start, count);

    /// <summary>A tensor in memory. It is not copied: it must outlive what is returned.</summary>
    /// <remarks>Any device and any strides; the bytes handed out are those of its contiguous copy on the CPU.</remarks>
    public static LazyTensor Of(Tensor tensor) => new InMemoryTensor(tensor);

    /// <summary>Tensors one after the other along the first dimension.</summary>
    /// <exception cref="ArgumentException">There are none, or they differ in type or in the other dimensions.</exception>
    public static LazyTensor Concatenate(params IReadOnlyList<LazyTensor> parts) => new LazyConcatenation(parts);

    /// <summary>Fills exactly <see cref="ByteCount"/> bytes, at least one.</summary>
    private protected abstract void Fill(Span<byte> destination);

    /// <summary>A span holds at most 2 GB; no single tensor of a Vision Transformer comes near it.</summary>
    internal void RequireSpanSized()
    {
        if (ByteCount > int.MaxValue)
            throw new Runtime.JepaException($"A tensor of {this} takes {ByteCount} bytes; one tensor may take at most {int.MaxValue}.");
    }

    private sealed class InMemoryTensor(Tensor tensor) : LazyTensor(tensor.dtype, tensor.shape)
    {
        private protected override void Fill(Span<byte> destination)
        {
            using var scope = NewDisposeScope();
            using (no_grad())
            {
                // detach() first: what cpu() and contiguous() may return unchanged is then never the caller's own object.
                tensor.detach().cpu().contiguous().bytes.CopyTo(destination);
            }
        }
    }

    private sealed class LazyRows : LazyTensor
    {
        private readonly LazyTensor _whole;
        private readonly long _start;

        public LazyRows(LazyTensor whole, long start, long count)
            : base(whole.Type, ShapeOf(whole, start, count)) => (_whole, _start) = (whole, start);

        private static long[] ShapeOf(LazyTensor whole, long start, long count)
        {
            if (whole.Shape.Count == 0 || start < 0 || count < 0 || start > whole.Shape[0] - count)
                throw new ArgumentOutOfRangeException(nameof(start), $"Rows {start} to {start + count} are not all in {whole}.");
            return [count, .. whole.Shape.Skip(1)];
        }

        private protected override void Fill(Span<byte> destination) => _whole.FillRange(_start * (ByteCount / Shape[0]), destination);
    }

    private sealed class LazyConcatenation : LazyTensor
    {
        private readonly IReadOnlyList<LazyTensor> _parts;

        public LazyConcatenation(IReadOnlyList<LazyTensor> parts)
            : base(parts.Count > 0 ? parts[0].Type : ScalarType.Float32, ShapeOf(parts)) => _parts = parts;

        private static long[] ShapeOf(IReadOnlyList<LazyTensor> parts)
        {
            if (parts.Count == 0) throw new ArgumentException("Nothing to join.", nameof(parts));
            var first = parts[0];
            foreach (var part in parts)
            {
                if (part.Shape.Count == 0 || part.Type != first.Type || !part.Shape.Skip(1).SequenceEqual(first.Shape.Skip(1)))
                    throw new ArgumentException(
                        $"{part} cannot be joined to {first}: type and all dimensions but the first must agree.", nameof(parts));
            }

            return [parts.Sum(part => part.Shape[0]), .. first.Shape.Skip(1)];
        }

        private protected override void Fill(Span<byte> destination)
        {
            foreach (var part in _parts)
            {
                part.CopyTo(destination[..(int)part.ByteCount]);
                destination = destination[(int)part.ByteCount..];
            }
        }
    }

    /// <summary>Fills some of the bytes, from an offset. Overridden where a part can be had without the whole.</summary>
    private protected virtual void FillRange(long offset, Span<byte> destination)
    {
        RequireSpanSized();
        var whole = new byte[ByteCount];
        Fill(whole);
        whole.AsSpan((int)offset, destination.Length).CopyTo(destination);
    }
}
