using JepaSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Vectors that are learned, and that what a projector makes of images is compared with. K of them, of d numbers each.</summary>
/// <remarks>Assran et al., "Masked Siamese networks for label-efficient learning", ECCV 2022, section 3. Compared is their direction.</remarks>
public sealed class Prototypes : nn.Module
{
    private const double LeastLength = 1e-12;

    [ComponentName(Name = "weight")] private readonly Parameter _weight;

    /// <summary>Builds prototypes that are not yet set: see <see cref="Initialize"/>.</summary>
    /// <param name="count">K.</param>
    /// <param name="width">d.</param>
    /// <param name="device">Where they live; meta for shapes alone. Null: the CPU.</param>
    public Prototypes(int count, int width, Device? device = null)
        : base(nameof(Prototypes))
    {
        using var outside = NewDisposeScope();
        _weight = new Parameter(empty([count, width], float32, device));
        RegisterComponents();
        Positions.Detach(this, outside);
    }

    /// <summary>float32 [K, d].</summary>
    public Parameter Weight => _weight;

    /// <summary>K.</summary>
    public int Count => (int)_weight.shape[0];

    /// <summary>Uniform in ±1/√d.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">Tells networks of one run apart.</param>
    public void Initialize(ulong seed, int stream) => Initialization.Uniform_(
        _weight, 1 / Math.Sqrt(_weight.shape[1]), new RandomStream(seed, RandomPurpose.Initialization, stream).NextUInt64());

    /// <summary>Cosines of rows with each prototype, x/|x| · c/|c|, in float32. [R, d] -> [R, K].</summary>
    /// <param name="rows">x.</param>
    public Tensor Cosines(Tensor rows) => Cosines(rows, _weight);

    /// <summary>The same of prototypes that are given.</summary>
    /// <param name="rows">x, [R, d].</param>
    /// <param name="prototypes">c, [K, d].</param>
    public static Tensor Cosines(Tensor rows, Tensor prototypes)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(prototypes);
        using var scope = NewDisposeScope();
        var (x, c) = (Directions(rows.to(float32)), Directions(prototypes.to(float32)));
        ProductTrace.Add(x, c, c.shape[0]);
        return x.matmul(c.t()).MoveToOuterDisposeScope();
    }

    private static Tensor Directions(Tensor rows) => nn.functional.normalize(rows, p: 2, dim: 1, eps: LeastLength);
}
