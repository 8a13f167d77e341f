using JepaSharp.Models;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>A teacher's distributions over K outputs, made where they are wanted: softmax((W z - c) / τ), without gradients.</summary>
/// <remarks>Caron et al., ICCV 2021, equations 1 and 4: a centre c against outputs that win everywhere, a low temperature τ against outputs that are
/// all alike.</remarks>
internal sealed class TeacherOutputs
{
    private readonly Tensor _rows, _working, _weight, _center;
    private readonly double _temperature;

    /// <summary>In the dispose scope of whoever makes it.</summary>
    /// <param name="rows">z: float32 [R, H].</param>
    /// <param name="weight">W: float32 [K, H].</param>
    /// <param name="center">c: float32, K numbers.</param>
    /// <param name="temperature">τ.</param>
    /// <param name="products">What the products are computed in.</param>
    public TeacherOutputs(Tensor rows, Tensor weight, Tensor center, double temperature, ScalarType products)
    {
        (_rows, _weight, _temperature) = (rows, weight, temperature);
        _center = center.reshape(-1);
        _working = weight.to(products);
    }

    /// <summary>K.</summary>
    public long Outputs => _weight.shape[0];

    /// <summary>R.</summary>
    public long Rows => _rows.shape[0];

    /// <summary>Distributions of some rows. -> float32 [r, K], each summing to 1.</summary>
    /// <param name="start">The first.</param>
    /// <param name="count">r.</param>
    public Tensor Of(long start, long count) => OfRows(_rows.narrow(0, start, count));

    /// <summary>Distributions of chosen rows. -> float32 [r, K].</summary>
    /// <param name="chosen">int64 [r].</param>
    public Tensor Of(Tensor chosen) => OfRows(_rows.index_select(0, chosen));

    /// <summary>The mean of W z over all rows, which is W times the mean of z. -> float32 [K].</summary>
    public Tensor Mean()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var mean = _rows.mean([0L], keepdim: true);
        ProductTrace.Add(mean, _weight, Outputs);
        return mean.matmul(_weight.t()).squeeze(0).MoveToOuterDisposeScope();
    }

    private Tensor OfRows(Tensor rows)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        ProductTrace.Add(rows, _weight, Outputs);
        var logits = rows.to(_working.dtype).matmul(_working.t()).to(float32);
        return logits.Add_(_center.neg()).Multiply_(1 / _temperature).softmax(-1).MoveToOuterDisposeScope();
    }
}
