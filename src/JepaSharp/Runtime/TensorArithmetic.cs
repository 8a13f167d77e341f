using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Runtime;

/// <summary>Arithmetic on tensors whose numbers stay alive until libtorch is done with them.</summary>
/// <remarks>
/// TorchSharp turns a number into a <see cref="Scalar"/> that owns native memory, reads its handle, and calls libtorch. From then on nothing
/// refers to the object, so a garbage collection at that moment frees the memory while libtorch reads it: seen as
/// "Expected false to be true" from <c>c10::Scalar</c> after some hundred steps. The operators + and - between tensors do it too, with a hidden 1.
/// They are banned in this library (BannedSymbols.txt); these keep the object to the end of the call. See docs/decisions/0002.
/// </remarks>
internal static class TensorArithmetic
{
    private static readonly Scalar One = 1.ToScalar();
    private static readonly Scalar MinusOne = (-1).ToScalar();

    /// <summary>a + b.</summary>
    public static Tensor Add(this Tensor a, Tensor b) => a.add(b, One);

    /// <summary>a - b.</summary>
    public static Tensor Subtract(this Tensor a, Tensor b) => a.add(b, MinusOne);

    /// <summary>a + b, in place.</summary>
    public static Tensor Add_(this Tensor a, Tensor b) => a.add_(b, One);

    /// <summary>a factor.</summary>
    public static Tensor Multiply(this Tensor a, double factor)
    {
        using var number = factor.ToScalar();
        return a.mul(number);
    }

    /// <summary>a factor, in place.</summary>
    public static Tensor Multiply_(this Tensor a, double factor)
    {
        using var number = factor.ToScalar();
        return a.mul_(number);
    }

    /// <summary>Every element becomes <paramref name="value"/>, in place.</summary>
    public static Tensor Fill_(this Tensor a, double value)
    {
        using var number = value.ToScalar();
        return a.fill_(number);
    }

    /// <summary>Every element between low and high, in place.</summary>
    public static Tensor Clamp_(this Tensor a, double low, double high)
    {
        using var least = low.ToScalar();
        using var most = high.ToScalar();
        return a.clamp_(least, most);
    }

    /// <summary>a + weight (b - a), in place.</summary>
    public static Tensor Lerp_(this Tensor a, Tensor b, double weight)
    {
        using var number = tensor(weight, a.dtype, a.device);
        return a.lerp_(b, number);
    }

    /// <summary>a + b c, elementwise.</summary>
    public static Tensor AddProduct(this Tensor a, Tensor b, Tensor c) => addcmul(a, b, c, One);
}
