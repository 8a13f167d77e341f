using JepaSharp.Models;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>How views are shared out among prototypes, and what is asked of the shares: MSN's loss (Assran et al., ECCV 2022, section 3).</summary>
/// <remarks>
/// With x̂ and ĉ of length 1, a row's shares are q(x) = softmax(x̂ Ĉᵀ / τ), blended with equal ones: (1 - ε) q + ε / K. Shapes: V views of each of B
/// images, the view being the slow index; d numbers, K prototypes.
/// </remarks>
public sealed record PrototypeLoss
{
    private const int Rounds = 3;
    private const double Least = 1e-38; // keeps a prototype without any share without one

    /// <summary>τ: the smaller, the more of a row goes to its nearest prototype.</summary>
    public double Temperature { get; init; } = 0.1;

    /// <summary>ε: how much of every row is shared out equally.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Whether targets are balanced, so that every prototype has about the same share of all images (Sinkhorn and Knopp).</summary>
    public bool Balances { get; init; } = true;

    /// <summary>Weight of <see cref="PrototypeTerms.MeanEntropy"/>.</summary>
    public double MeanEntropyWeight { get; init; } = 1;

    /// <summary>Weight of <see cref="PrototypeTerms.Entropy"/>.</summary>
    public double EntropyWeight { get; init; }

    /// <summary>The shares that targets should have: sharpened, then balanced. No gradient. float32 [B, d] -> [B, K].</summary>
    /// <param name="targets">h.</param>
    /// <param name="prototypes">[K, d].</param>
    /// <param name="sharpening">T in (0, 1]: t is t^(1/T) / Σ t^(1/T).</param>
    public Tensor Targets(Tensor targets, Tensor prototypes, double sharpening)
    {
        using var untracked = no_grad();
        using var scope = NewDisposeScope();
        var shares = Shares(targets, prototypes).Shares.pow(tensor((float)(1 / sharpening), device: targets.device));
        shares = shares.div(shares.sum([1L], keepdim: true));
        return (Balances ? Balanced(shares) : shares).MoveToOuterDisposeScope();
    }

    /// <summary>The loss's three terms, without their weights. float32 [V B, d], [B, K] -> [] each.</summary>
    /// <param name="anchors">z: with gradients.</param>
    /// <param name="prototypes">[K, d]: with gradients.</param>
    /// <param name="targets">t, of the same images.</param>
    public PrototypeTerms Terms(Tensor anchors, Tensor prototypes, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(targets);
        using var scope = NewDisposeScope();
        var (shares, logarithms) = Shares(anchors, prototypes);
        // L = mean over V B of -Σ t log p
        var predicted = logarithms.view(-1, targets.shape[0], targets.shape[1]).mul(targets).sum([2L]).mean().neg();
        // R = ln K + Σ p̄ ln p̄, p̄ the mean of all anchors' shares: 0 where every prototype is used alike
        var mean = shares.mean([0L]);
        var meanEntropy = xlogy(mean, mean).sum().Add(tensor((float)Math.Log(shares.shape[1]), device: shares.device));
        // mean of -Σ p log p
        var entropy = shares.mul(logarithms).sum([1L]).mean().neg();
        return new PrototypeTerms(
            predicted.MoveToOuterDisposeScope(), meanEntropy.MoveToOuterDisposeScope(), entropy.MoveToOuterDisposeScope());
    }

    /// <summary>The terms, weighed. -> [].</summary>
    /// <param name="terms">Its terms.</param>
    public Tensor Sum(PrototypeTerms terms)
    {
        ArgumentNullException.ThrowIfNull(terms);
        using var scope = NewDisposeScope();
        return terms.CrossEntropy.Add(terms.MeanEntropy.Multiply(MeanEntropyWeight)).Add(terms.Entropy.Multiply(EntropyWeight))
            .MoveToOuterDisposeScope();
    }

    /// <summary>Rows' shares of the prototypes, and their logarithms. [R, d] -> [R, K] each.</summary>
    internal (Tensor Shares, Tensor Logarithms) Shares(Tensor rows, Tensor prototypes)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(prototypes);
        using var scope = NewDisposeScope();
        var logarithms = nn.functional.log_softmax(Prototypes.Cosines(rows, prototypes).Multiply(1 / Temperature), 1);
        var shares = logarithms.exp();
        if (LabelSmoothing > 0)
        {
            shares = shares.Multiply(1 - LabelSmoothing).Add(tensor((float)(LabelSmoothing / prototypes.shape[0]), device: shares.device));
            logarithms = shares.log();
        }

        return (shares.MoveToOuterDisposeScope(), logarithms.MoveToOuterDisposeScope());
    }

    /// <summary>Three rounds of Sinkhorn and Knopp: every prototype's shares of the batch sum to B / K, about, and every image's to 1. [B,
    /// K].</summary>
    private static Tensor Balanced(Tensor shares)
    {
        using var scope = NewDisposeScope();
        var (images, count) = (shares.shape[0], shares.shape[1]);
        var least = tensor((float)Least, device: shares.device);
        var balanced = shares.div(shares.sum());
        for (var round = 0; round < Rounds; round++)
        {
            balanced = balanced.div(maximum(balanced.sum([0L], keepdim: true), least)).Multiply(1.0 / count);
            balanced = balanced.div(balanced.sum([1L], keepdim: true)).Multiply(1.0 / images);
        }

        return balanced.Multiply(images).MoveToOuterDisposeScope();
    }
}

/// <summary>The terms of a <see cref="PrototypeLoss"/>, each [].</summary>
/// <param name="CrossEntropy">How far anchors' shares are from their images' targets.</param>
/// <param name="MeanEntropy">How far the mean of all anchors' shares is from equal ones: 0 at best, ln K where all go to one prototype.</param>
/// <param name="Entropy">How undecided anchors are: 0 where each goes to one prototype, ln K where each goes to all alike.</param>
public sealed record PrototypeTerms(Tensor CrossEntropy, Tensor MeanEntropy, Tensor Entropy);
