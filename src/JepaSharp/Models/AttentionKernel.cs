using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>softmax(q kᵀ / √d + b) v in one of two ways with the same result.</summary>
/// <remarks>
/// On GPUs the library's fused kernel is the fast one. On CPUs two batched products and a softmax are: the library's flash
/// attention multiplies small blocks, in bfloat16 with a slow kernel.
/// </remarks>
internal static class AttentionKernel
{
    /// <summary>q, k, v [B, A, N, d], and what is added to the scores [A, N, N], or nothing -> [B, A, N, d].</summary>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v, Tensor? bias = null) =>
        q.device_type == DeviceType.CPU ? WrittenOut(q, k, v, bias)
        : nn.functional.scaled_dot_product_attention(q, k, v, bias?.to(q.dtype).unsqueeze(0).expand(q.shape[0], -1, -1, -1));

    private static Tensor WrittenOut(Tensor q, Tensor k, Tensor v, Tensor? bias)
    {
        var scale = 1.0 / Math.Sqrt(q.shape[^1]);
        ProductTrace.Add(q, k, k.shape[^2]); // scores
        ProductTrace.Add(k, v, q.shape[^2]); // sums over the values: as many, by the same numbers
        var scores = q.Multiply(scale).matmul(k.transpose(-2, -1));
        return (bias is null ? scores : scores.Add(bias.to(scores.dtype))).softmax(-1).matmul(v);
    }
}
