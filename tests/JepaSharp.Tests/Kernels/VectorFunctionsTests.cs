using System.Runtime.Intrinsics;
using JepaSharp.Kernels;

namespace JepaSharp.Tests.Kernels;

public sealed unsafe class VectorFunctionsTests
{
    [Fact]
    public void Exp_OverItsRange_IsExactToSingleRounding()
    {
        KernelFact.NeedsSingles();
        for (var x = -87.0; x < 88; x += 0.0371)
        {
            var value = VectorFunctions.Exp(Vector512.Create((float)x))[3];
            Assert.InRange(value / Math.Exp((float)x), 1 - 3e-7, 1 + 3e-7);
        }

        Assert.Equal(1f, VectorFunctions.Exp(Vector512<float>.Zero)[0]);
        Assert.Equal(0f, VectorFunctions.Exp(Vector512.Create(-1000f))[0]);
        Assert.True(float.IsNaN(VectorFunctions.Exp(Vector512.Create(float.NaN))[0]), "a number that is none must not be hidden");
    }

    [Fact]
    public void Gelu_AndItsSlope_AgreeWithTheIntegral()
    {
        KernelFact.NeedsSingles();
        for (var x = -8.0; x <= 8; x += 0.0137)
        {
            var value = VectorFunctions.Gelu(Vector512.Create((float)x), out var slope)[5];
            var phi = NormalDistribution((float)x);
            Assert.Equal((float)x * phi, value, 2e-6);
            Assert.Equal(phi + ((float)x * Math.Exp(-0.5 * (float)x * (float)x) / Math.Sqrt(2 * Math.PI)), slope[5], 2e-6);
        }
    }

    [Fact]
    public void ShortGelu_AndItsSlope_AgreeWithTheIntegralToBrainFloats()
    {
        KernelFact.NeedsSingles();
        for (var x = -12.0; x <= 12; x += 0.0137)
        {
            var value = VectorFunctions.ShortGelu(Vector512.Create((float)x), out var slope)[5];
            Assert.Equal(VectorFunctions.ShortGelu(Vector512.Create((float)x))[5], value);
            var phi = NormalDistribution((float)x);
            Assert.Equal((float)x * phi, value, 8e-5);
            Assert.Equal(phi + ((float)x * Math.Exp(-0.5 * (float)x * (float)x) / Math.Sqrt(2 * Math.PI)), slope[5], 2e-4);
        }

        Assert.True(float.IsNaN(VectorFunctions.ShortGelu(Vector512.Create(float.NaN), out var none)[0]) && float.IsNaN(none[0]),
            "a number that is none must not be hidden");
    }

    [Fact]
    public void ShortExp2_AgreesWithThePower()
    {
        KernelFact.NeedsSingles();
        for (var x = -140.0; x <= 20; x += 0.0137)
        {
            var power = Math.Pow(2, (float)x);
            if (x > -126) Assert.InRange(VectorFunctions.ShortExp2(Vector512.Create((float)x))[3] / power, 1 - 4e-6, 1 + 4e-6);
        }

        Assert.Equal(0f, VectorFunctions.ShortExp2(Vector512.Create(-1000f))[0]);
        Assert.True(float.IsNaN(VectorFunctions.ShortExp2(Vector512.Create(float.NaN))[0]), "a number that is none must not be hidden");
    }

    /// <summary>Simpson's rule on the density from 0 to x.</summary>
    private static double NormalDistribution(double x)
    {
        const int Steps = 400;
        var h = x / Steps;
        var sum = 0.0;
        for (var i = 0; i <= Steps; i++) sum += Math.Exp(-0.5 * (i * h) * (i * h)) * (i is 0 or Steps ? 1 : i % 2 == 1 ? 4 : 2);
        return 0.5 + (sum * h / 3 / Math.Sqrt(2 * Math.PI));
    }
}
