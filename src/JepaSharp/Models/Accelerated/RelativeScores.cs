using JepaSharp.Kernels;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>Relative positions as the CPU kernels read them.</summary>
internal sealed unsafe class RelativeScores : IDisposable
{
    private readonly RelativePositionBias _relative;
    private readonly NativeBuffer _scores = new(), _rows = new();
    private readonly double _inverseScale;
    private readonly int _heads, _tableRows;
    private readonly float* _gradient;

    /// <param name="relative">The table.</param>
    /// <param name="head">Width of a head: scores are divided by its root.</param>
    /// <param name="handles">Where the table's gradient lies.</param>
    public RelativeScores(RelativePositionBias relative, int head, ParameterHandles handles)
    {
        (_relative, _inverseScale) = (relative, Math.Sqrt(head));
        (_tableRows, _heads) = ((int)relative.Table.shape[0], (int)relative.Table.shape[1]);
        _gradient = handles.Of(relative.Table).Gradient;
        Tokens = (int)Math.Sqrt(relative.Places.numel());
        Refresh();
    }

    /// <summary>Tokens of a whole image of the table's grid.</summary>
    public int Tokens { get; }

    /// <summary>What kernels are given.</summary>
    public AttentionBias Memory => new((float*)_scores.Take(0), (int*)_rows.Take(0), _gradient, Tokens, _tableRows, _heads);

    /// <summary>Brings the scores up to date with the table and its places.</summary>
    public void Refresh()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var padded = AttentionBias.PaddedOf(Tokens);
        var scores = zeros([_heads, Tokens, padded], float32, CPU);
        _ = scores.narrow(2, 0, Tokens).copy_(_relative.Bias().Multiply(_inverseScale));
        Copy(TensorMemory.Floats(scores), _scores, scores.numel() * sizeof(float));
        var rows = _relative.Places.to(int32).contiguous();
        fixed (int* from = rows.data<int>().ToArray()) Copy(from, _rows, rows.numel() * sizeof(int));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _scores.Dispose();
        _rows.Dispose();
    }

    private static void Copy(void* from, NativeBuffer to, long bytes) => Buffer.MemoryCopy(from, to.Take((nint)bytes), bytes, bytes);
}
