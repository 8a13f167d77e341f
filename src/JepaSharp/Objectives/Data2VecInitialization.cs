using JepaSharp.Models;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Initial weights of data2vec's networks, as published.</summary>
/// <remarks>
/// Matrices, patch embedding and tokens: normal of deviation 0.02 cut at ±0.02, which leaves a deviation of 0.0108. In block i, from 1, the matrices
/// that end the branches (<c>attn.proj</c>, <c>mlp.fc2</c>) over √(2 i). Biases and relative positions 0, norms 1 and 0, γ as the options say.
/// </remarks>
internal static class Data2VecInitialization
{
    private const double Deviation = 0.02;
    private const string Table = "rel_pos_bias.relative_position_bias_table";

    /// <summary>Sets all weights of student and head, keyed by the options' seed.</summary>
    public static void Of(Data2Vec objective)
    {
        Set(objective.Student, objective.Options, stream: 0);
        Set(objective.Head, objective.Options, stream: 1);
    }

    /// <summary>Whether a parameter of a name is a matrix or a token, rather than a bias, a norm or γ.</summary>
    public static bool IsMatrix(string name) =>
        name.EndsWith(".weight", StringComparison.Ordinal) && !name.Split('.')[^2].StartsWith("norm", StringComparison.Ordinal)
            || name.EndsWith("_token", StringComparison.Ordinal) || name is Table or "pos_embed" or "weight";

    private static void Set(nn.Module network, Data2VecOptions options, int stream)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var index = 0;
        foreach (var (name, parameter) in network.named_parameters())
        {
            var key = new RandomStream(options.Seed, RandomPurpose.Initialization, stream, index++).NextUInt64();
            if (name == Table) _ = parameter.zero_();
            else if (IsMatrix(name)) Initialization.TruncatedNormal_(parameter, Deviation, Deviation, key);
            else if (name.Contains(".gamma_", StringComparison.Ordinal)) _ = parameter.Fill_(options.LayerScale);
            else _ = parameter.Fill_(name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0);
            if (BlockOf(name) is { } block) _ = parameter.Multiply_(1 / Math.Sqrt(2.0 * (block + 1)));
        }
    }

    /// <summary>The block, from 0, of a matrix that ends a branch; null for others.</summary>
    private static int? BlockOf(string name) => name.Split('.') is ["blocks", var block, "attn" or "mlp", "proj" or "fc2", "weight"]
        ? int.Parse(block, System.Globalization.CultureInfo.InvariantCulture) : null;
}
