using System.Diagnostics.CodeAnalysis;

namespace JepaSharp.Masking;

/// <summary>Which patches of each image are context and which are targets: Mc x [B, Kc] and Mt x [B, Kt] patch indices.</summary>
/// <remarks>Every mask is sorted, holds no patch twice and lies on the grid: an instance that is otherwise cannot be built.</remarks>
public sealed class MaskBatch
{
    private readonly long[][] _context;
    private readonly long[][] _targets;

    /// <summary>Takes over the given arrays, which must not be written to afterwards.</summary>
    /// <param name="grid">The patch grid of every image.</param>
    /// <param name="batch">B.</param>
    /// <param name="context">Mc blocks, each [B, Kc], row-major.</param>
    /// <param name="targets">Mt blocks, each [B, Kt], row-major.</param>
    /// <exception cref="ArgumentException">No block, unequal lengths, an empty mask, or a mask not ascending and within the grid.</exception>
    public MaskBatch(PatchGrid grid, int batch, IReadOnlyList<long[]> context, IReadOnlyList<long[]> targets)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        (Grid, Batch) = (grid, batch);
        (_context, _targets) = ([.. context], [.. targets]);
        ContextLength = Check(_context, "context", nameof(context));
        TargetLength = Check(_targets, "target", nameof(targets));
    }

    /// <summary>The patch grid of every image.</summary>
    public PatchGrid Grid { get; }

    /// <summary>B, images.</summary>
    public int Batch { get; }

    /// <summary>Mc, context blocks an image.</summary>
    public int ContextBlocks => _context.Length;

    /// <summary>Mt, target blocks an image.</summary>
    public int TargetBlocks => _targets.Length;

    /// <summary>Kc, patches in each context mask.</summary>
    public int ContextLength { get; }

    /// <summary>Kt, patches in each target mask.</summary>
    public int TargetLength { get; }

    /// <summary>Context indices of block <paramref name="block"/> for all images: [B, Kc] row-major.</summary>
    public ReadOnlyMemory<long> Context(int block) => _context[block];

    /// <summary>Target indices of block <paramref name="block"/> for all images: [B, Kt] row-major.</summary>
    public ReadOnlyMemory<long> Target(int block) => _targets[block];

    /// <summary>Context indices of one image: [Kc], ascending.</summary>
    public ReadOnlySpan<long> Context(int block, int image) => _context[block].AsSpan(image * ContextLength, ContextLength);

    /// <summary>Target indices of one image: [Kt], ascending.</summary>
    public ReadOnlySpan<long> Target(int block, int image) => _targets[block].AsSpan(image * TargetLength, TargetLength);

    private int Check(long[][] blocks, string kind, string parameter)
    {
        if (blocks.Length == 0) Refuse($"There must be at least one {kind} block.", parameter);
        var length = blocks[0].Length / Batch;
        for (var block = 0; block < blocks.Length; block++)
        {
            var indices = blocks[block];
            if (length == 0 || indices.Length != length * Batch)
            {
                var wanted = $"{Batch} images times {Math.Max(length, 1)} or another equal length";
                Refuse($"{kind} block {block} holds {indices.Length} indices; expected {wanted}.", parameter);
            }

            for (var image = 0; image < Batch; image++)
            {
                var previous = -1L;
                foreach (var index in indices.AsSpan(image * length, length))
                {
                    if (index <= previous || index >= Grid.Count)
                    {
                        var found = $"index {index} after {previous}; expected ascending within 0 to {Grid.Count - 1}";
                        Refuse($"{kind} block {block} of image {image}: {found}.", parameter);
                    }

                    previous = index;
                }
            }
        }

        return length;
    }

    [DoesNotReturn]
    private static void Refuse(string message, string parameter) => throw new ArgumentException(message, parameter);
}
