using static TorchSharp.torch;

namespace JepaSharp.Runtime.Collectives;

/// <summary>Sums over GPUs by NCCL, for ranks that MPI brings together: one GPU each.</summary>
/// <remarks>
/// On the stream that libtorch computes on: the default one, since nothing here and nothing in TorchSharp chooses another. So what the gradients are
/// computed from comes before, what is done with them after, and the host waits for neither. The order of addition is NCCL's: the same on every rank
/// and in every run of as many ranks on the same machines, as far as NCCL's own documentation promises; not that of the ranks.
/// </remarks>
internal sealed class NcclSums : IDisposable
{
    // libtorch's default stream is CUDA's.
    private const nint DefaultStream = 0;

    private readonly NcclLibrary _nccl;
    private readonly nint _group;
    private readonly Func<Tensor, nint> _placeOf;
    private bool _isOver;

    /// <summary>Joins the ranks' GPUs; every rank does so at the same time.</summary>
    /// <param name="ranks">All of them; rank 0 names the group.</param>
    /// <param name="nccl">The library.</param>
    /// <param name="placeOf">Where a tensor's numbers lie on the GPU; null for its data pointer.</param>
    /// <exception cref="JepaException">NCCL failed.</exception>
    public NcclSums(Collective ranks, NcclLibrary nccl, Func<Tensor, nint>? placeOf = null)
    {
        (_nccl, _placeOf) = (nccl, placeOf ?? DataOf);
        var id = new NcclId();
        var named = ranks.Share(ranks.IsFirst ? BytesOf(nccl.NewId()) : null);
        unsafe
        {
            for (var i = 0; i < NcclId.Size; i++) id.Bytes[i] = named[i];
        }

        _group = nccl.Join(id, ranks.Size, ranks.Rank);
    }

    /// <summary>"NCCL 2.21.5 (path)".</summary>
    public string Description => _nccl.Name;

    /// <summary>Asks for the sums, in place.</summary>
    /// <param name="tensors">float32, contiguous, on the GPU.</param>
    public void Sum(IReadOnlyList<Tensor> tensors)
    {
        foreach (var tensor in tensors)
        {
            if (tensor.dtype != ScalarType.Float32 || !tensor.is_contiguous())
                throw new ArgumentException($"Sums are over contiguous float32, not {tensor.dtype}.", nameof(tensors));
        }

        _nccl.AllReduce(_group, [.. tensors.Select(t => (_placeOf(t), t.numel()))], DefaultStream);
    }

    /// <summary>After a failure: leaves without waiting for the others.</summary>
    public void Abort()
    {
        if (_isOver) return;
        _isOver = true;
        _nccl.Abort(_group);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isOver) return;
        _isOver = true;
        _nccl.Leave(_group);
    }

    private static unsafe byte[] BytesOf(NcclId id) => new ReadOnlySpan<byte>(id.Bytes, NcclId.Size).ToArray();

    /// <summary>Where a tensor's numbers begin, on whatever device.</summary>
    internal static nint DataOf(Tensor tensor)
    {
        using var place = tensor.detach();
        return place.storage<float>().data_ptr() + (nint)(place.storage_offset() * sizeof(float));
    }
}
