namespace JepaSharp.Configuration;

/// <summary>LeJEPA: how its two losses are weighed, and what lies between encoder and loss. YAML section <c>lejepa</c>, read where
/// <c>meta.objective</c> is lejepa. Ours.</summary>
/// <remarks>Numbers are those of Balestriero and LeCun, arXiv 2511.08544, and of the published settings. Its views:
/// <see cref="ViewSection"/>.</remarks>
public sealed record LeJepaSection
{
    /// <summary>λ: share of the statistic in the loss, (1 - λ) prediction + λ statistic; the more views, the larger. 0.05.</summary>
    public double Lambda { get; init; } = 0.05;

    /// <summary>M: directions in which projections are compared with a Gaussian, drawn anew for every micro-batch. 1024.</summary>
    public int Directions { get; init; } = 1024;

    /// <summary>q: points at which characteristic functions are compared, odd. 17.</summary>
    public int Knots { get; init; } = 17;

    /// <summary>The largest of those points; the smallest is 0. 3.</summary>
    public double LargestKnot { get; init; } = 3;

    /// <summary>Numbers of an embedding: what the class token is mapped to. 512.</summary>
    public int Embedding { get; init; } = 512;

    /// <summary>Width of the projector's two hidden layers. 2048.</summary>
    public int Hidden { get; init; } = 2048;

    /// <summary>K: numbers of a projection, in which views are compared. 16.</summary>
    public int Projection { get; init; } = 16;
}
