using JepaSharp.Data;
using JepaSharp.Masking;
using static TorchSharp.torch;

namespace JepaSharp.Runs.Visualization;

/// <summary>Whose representation of a block something is drawn from.</summary>
public enum BlockSource
{
    /// <summary>What the predictor says of the block.</summary>
    Predictor,

    /// <summary>What the predictor says of another block of the image, from the same context: what is left is what the context alone gives. Drawn by
    /// the predictor's decoder.</summary>
    WrongPosition,

    /// <summary>What the target encoder, which sees the block, says of it.</summary>
    Target,

    /// <summary>What the context encoder says of what it sees.</summary>
    Context,

    /// <summary>What a predictor says whose weights, and those of its encoder, are initial.</summary>
    Untrained,
}

/// <summary>Blocks of images with what is said of them.</summary>
/// <param name="Pictures">float32 [n, 3, S, S], -1 to 1: the true blocks.</param>
/// <param name="Conditions">Of each source, float32 [n, D].</param>
/// <param name="Overlap">Mean share of the block that the other block of <see cref="BlockSource.WrongPosition"/> covers, too.</param>
internal sealed record PreparedBlocks(Tensor Pictures, IReadOnlyDictionary<BlockSource, Tensor> Conditions, double Overlap) : IDisposable
{
    /// <summary>How many there are.</summary>
    public int Count => (int)Pictures.shape[0];

    /// <summary>The images themselves with what is seen and what is asked, where they were wanted.</summary>
    public IReadOnlyList<ShownBlock> Shown { get; init; } = [];

    public void Dispose()
    {
        Pictures.Dispose();
        foreach (var rows in Conditions.Values) rows.Dispose();
    }
}

/// <summary>An image with what is seen of it and what is asked.</summary>
/// <param name="Index">Its index in its source.</param>
/// <param name="Name">Its name there.</param>
/// <param name="Image">It, at the encoder's size.</param>
/// <param name="Grid">The grid of patches.</param>
/// <param name="Seen">[N], which patches are context.</param>
/// <param name="Block">The block that is drawn.</param>
internal sealed record ShownBlock(int Index, string Name, RgbImage Image, PatchGrid Grid, bool[] Seen, PatchBlock Block);
