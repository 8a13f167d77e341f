using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Kernels;

public sealed class DenseKernelTests
{
    /// <summary>Inputs and outputs that fill no whole vector (588 are the pixels of a 14 x 14 patch, 1000 the classes of ImageNet), rows that fill no
    /// whole word.</summary>
    [Theory]
    [InlineData(588, 48, 101, ScalarType.Float32, 1e-5)]
    [InlineData(48, 96, 1, ScalarType.Float32, 1e-5)]
    [InlineData(588, 48, 101, ScalarType.BFloat16, 0.06)]
    [InlineData(64, 588, 101, ScalarType.Float32, 1e-5)]
    [InlineData(64, 1000, 97, ScalarType.Float32, 1e-5)]
    [InlineData(5, 3, 7, ScalarType.Float32, 1e-5)]
    [InlineData(23, 41, 33, ScalarType.BFloat16, 0.06)]
    [InlineData(64, 1000, 97, ScalarType.BFloat16, 0.06)]
    public void Forward_AndBackward_AgreeWithLibtorch(int inputs, int outputs, int rows, ScalarType precision, double tolerance)
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        using var dense = new Dense("dense", [outputs, inputs], CPU);
        using (no_grad())
        {
            _ = dense.Weight.copy_(Waves(outputs, inputs));
            _ = dense.Bias.copy_(Waves(outputs));
        }

        var (x, outward) = (Waves(rows, inputs).requires_grad_(), Waves(rows, outputs).cos());
        var expected = nn.functional.linear(x, dense.Weight, dense.Bias);
        expected.backward([outward]);
        var (weight, bias) = (dense.Weight.grad!.clone(), dense.Bias.grad!.clone());
        var input = x.grad!.clone();
        _ = x.grad!.zero_();
        _ = dense.Weight.grad!.zero_();
        _ = dense.Bias.grad!.zero_();

        using var accelerated = new AcceleratedDense(dense, precision, trained: true);
        using var tape = GradientTape.Start();
        var actual = accelerated.Forward(x);
        tape.Backward(actual.mul(outward).sum(), mark: 0);
        foreach (var (name, a, b) in new[] { ("output", expected, actual), ("weight", weight, dense.Weight.grad!), ("bias", bias, dense.Bias.grad!), (
            "input", input, x.grad!) })
        {
            var difference = a.Subtract(b).abs().max().item<float>();
            var allowed = (name == "input" ? 2 : 1) * tolerance; // waves cancel one another in it: less is left to round
            Assert.True(
                difference <= allowed * a.abs().max().item<float>(), $"{name} differs by {difference:g3} of {a.abs().max().item<float>():g3}");
        }
    }

    private static Tensor Waves(params long[] shape) =>
        arange(shape.Aggregate(1L, (a, b) => a * b), dtype: float32).mul(0.7.ToScalar()).sin().reshape(shape);
}
