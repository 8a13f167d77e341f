using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Runtime;

namespace JepaSharp.Cli;

/// <summary>What <c>--pool</c> means for an encoder: auto, mean, class, or both of these together.</summary>
internal static class PoolOption
{
    /// <summary>The class token before the final norm, as MSN is evaluated.</summary>
    public const string Unnormed = "class-unnormed";

    /// <summary>The class token, then the average, as iBOT is published; and both number by number, as DINO is.</summary>
    public const string SideBySide = "class-mean", Interleaved = "interleaved";

    /// <summary>What <c>--layers</c> and <c>--features</c> call the last four blocks, each through the final norm.</summary>
    public const string LastNormed = "last4-normed";

    /// <summary>Whether it is both together, which are taken of the last block alone.</summary>
    public static bool IsBoth(string pool) => pool is SideBySide or Interleaved;

    /// <summary>The output with what stands for an image.</summary>
    /// <param name="output">Which layers, and whether pooled.</param>
    /// <param name="pool">As on the command line.</param>
    /// <param name="loaded">The encoder.</param>
    /// <exception cref="JepaException">A class token was asked for, and the encoder has none.</exception>
    public static EncoderOutput Apply(EncoderOutput output, string pool, LoadedEncoder loaded)
    {
        if ((pool is "class" or Unnormed || IsBoth(pool)) && !loaded.Encoder.Shape.ClassToken)
            throw new JepaException(
                $"--pool {pool}: the encoder of {loaded.Path} has no class token. Leave it out, or give --pool mean.", isUsage: true);
        return output with
        {
            AveragesPatches = pool == "mean",
            IsUnnormed = pool == Unnormed,
            TakesClassToken = pool is "class" or Unnormed,
            Together = pool switch
            {
                SideBySide => ClassAndMean.SideBySide,
                Interleaved => ClassAndMean.Interleaved,
                _ => ClassAndMean.Apart,
            },
        };
    }
}
