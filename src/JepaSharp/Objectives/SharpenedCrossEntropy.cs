using JepaSharp.Models;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Cross-entropy between given distributions over K outputs and those that a last layer gives of rows, a piece at a time: no logits of all
/// rows are ever in memory, nor kept for the backward pass.</summary>
/// <remarks>
/// Of a row x [H], W [K, H], a temperature τ, logits s = W x / τ and a target p of mass m = Σ_k p_k,
/// <code>
/// ℓ       = -Σ_k p_k log softmax(s)_k = m log Σ_k exp(s_k) - Σ_k p_k s_k
/// ∂ℓ/∂s   = m softmax(s) - p
/// ∂ℓ/∂x   = Wᵀ (∂ℓ/∂s) / τ          ∂ℓ/∂W = (∂ℓ/∂s) xᵀ / τ
/// </code>
/// and the loss is Σ_r w_r ℓ_r. Gradients are taken with the values; what is kept of them is as large as the rows and as W, however many outputs
/// there are. Caron et al., ICCV 2021, equation 3.
/// </remarks>
internal sealed class SharpenedCrossEntropy
{
    /// <summary>Numbers of a piece's logits: as many rows as fit.</summary>
    private const long PieceNumbers = 1 << 24;

    private readonly Tensor _features, _weight, _working, _value;
    private readonly Tensor? _featureGradient, _weightGradient;
    private readonly double _temperature;

    /// <summary>A loss of 0, to add to. In the dispose scope of whoever makes it.</summary>
    /// <param name="features">x: float32 [R, H].</param>
    /// <param name="weight">W: float32 [K, H].</param>
    /// <param name="temperature">τ.</param>
    /// <param name="products">What the products are computed in; sums and exponentials are float32.</param>
    public SharpenedCrossEntropy(Tensor features, Tensor weight, double temperature, ScalarType products)
    {
        (_features, _weight, _temperature) = (features, weight, temperature);
        _working = weight.detach().to(products);
        _value = zeros([], float32, features.device);
        if (!is_grad_enabled() || !features.requires_grad) return;
        (_featureGradient, _weightGradient) = (zeros_like(features).detach(), zeros_like(weight).detach());
    }

    /// <summary>How many rows are best taken together.</summary>
    /// <param name="outputs">K.</param>
    public static int RowsOfAPiece(long outputs) => (int)Math.Max(1, PieceNumbers / outputs);

    /// <summary>Adds some rows' loss.</summary>
    /// <param name="start">The first of the features' rows.</param>
    /// <param name="targets">p: float32 [r, K] of those from it on; not changed.</param>
    /// <param name="mass">m: what each of them sums to.</param>
    /// <param name="weights">w: float32 [r], or [] for all alike.</param>
    public void Add(long start, Tensor targets, double mass, Tensor weights)
    {
        using var scope = NewDisposeScope();
        var rows = _features.narrow(0, start, targets.shape[0]);
        ProductTrace.Add(rows, _weight, _weight.shape[0]);
        using var untracked = no_grad();
        rows = rows.detach().to(_working.dtype);
        var logits = rows.matmul(_working.t()).to(float32).Multiply_(1 / _temperature);
        var normalizer = logits.logsumexp(1, keepdim: true);
        var each = normalizer.squeeze(1).Multiply(mass).Subtract(targets.mul(logits).sum([1L]));
        _ = _value.Add_(each.mul(weights).sum());
        if (_featureGradient is null) return;
        // (m softmax(s) - p) w / τ, in the place of the logits.
        var scale = weights.Multiply(1 / _temperature);
        var gradient = logits.Add_(normalizer.neg()).exp_().Multiply_(mass).Add_(targets.neg())
            .mul_(scale.dim() == 0 ? scale : scale.unsqueeze(1)).to(_working.dtype);
        _ = _featureGradient.narrow(0, start, targets.shape[0]).Add_(gradient.matmul(_working));
        _ = _weightGradient!.Add_(gradient.t().matmul(rows));
    }

    /// <summary>The loss of all that was added. [] float32, with gradients to features and weight.</summary>
    public Tensor Total()
    {
        if (_featureGradient is null) return _value;
        // A sum whose value is 0 and whose gradient is the loss's.
        var linear = _features.mul(_featureGradient).sum().Add(_weight.mul(_weightGradient!).sum());
        return _value.Add(linear.Subtract(linear.detach()));
    }
}
