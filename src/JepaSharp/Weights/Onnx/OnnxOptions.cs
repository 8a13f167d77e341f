using JepaSharp.Runtime;

namespace JepaSharp.Weights.Onnx;

/// <summary>What an ONNX file takes and gives.</summary>
public sealed record OnnxOptions
{
    /// <summary>What stands for an image.</summary>
    public OnnxPooling Pooling { get; init; }

    /// <summary>Whether the graph takes pixels from 0 to 1 and normalises them itself, rather than taking normalised ones.</summary>
    public bool NormalizesInside { get; init; }

    /// <summary>Side of the square images that it takes, in pixels, a multiple of the patch size; null for the training's size.</summary>
    public int? Side { get; init; }

    /// <summary>Whether it takes images of any sides that are multiples of the patch size, and resizes the positions itself.</summary>
    public bool TakesAnySize { get; init; }

    /// <summary>A head on the vector of an image, whose probabilities it then gives as well; null for none.</summary>
    public OnnxHead? Head { get; init; }

    /// <summary>What is said of it beside what follows from the encoder: <c>source</c>, <c>license</c>, <c>transform</c> and the like.</summary>
    public IReadOnlyDictionary<string, string> Texts { get; init; } = new Dictionary<string, string>();
}

/// <summary>What an encoder's outputs become in an ONNX file.</summary>
public enum OnnxPooling
{
    /// <summary>One vector: the class token where there is one that is learned for it, else the average of the patches.</summary>
    Usual,

    /// <summary>One vector: the average of the patches.</summary>
    Mean,

    /// <summary>One vector: the class token.</summary>
    ClassToken,

    /// <summary>One vector: the class token without the final norm, as MSN is evaluated.</summary>
    ClassTokenUnnormed,

    /// <summary>One vector of 2 D numbers: class token, then average, as iBOT's published linear weights are made for.</summary>
    SideBySide,

    /// <summary>One vector of 2 D numbers: class token and average, number by number, as DINO's are for ViT-B.</summary>
    Interleaved,

    /// <summary>A vector for each patch, row by row of the grid.</summary>
    Patches,
}

/// <summary>A linear head: softmax((W (x - mean) / scale + b) / T).</summary>
/// <param name="Classes">K names.</param>
/// <param name="Weight">W: [K, D], row by row.</param>
/// <param name="Bias">b: [K].</param>
public sealed record OnnxHead(IReadOnlyList<string> Classes, float[] Weight, float[] Bias)
{
    /// <summary>What is taken from each of the D features first; null for nothing.</summary>
    public float[]? Mean { get; init; }

    /// <summary>What each is divided by then; null for 1.</summary>
    public float[]? Scale { get; init; }

    /// <summary>T: what calibrates its probabilities; 1 for nothing.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Checks that it fits an encoder's vectors.</summary>
    /// <param name="width">Numbers of a vector.</param>
    /// <exception cref="JepaException">The numbers of weights do not fit together, or one is not finite.</exception>
    internal void Require(int width)
    {
        if (Classes.Count == 0 || Bias.Length != Classes.Count || Weight.LongLength != (long)Classes.Count * width)
            throw new JepaException(
                $"The head has {Classes.Count} classes, {Weight.LongLength} weights and {Bias.Length} biases; expected {width} weights and one "
                    + "bias a class: a head that was fitted on this encoder's vectors, pooled in the same way.", isUsage: true);
        if (new[] { Mean, Scale }.FirstOrDefault(list => list is not null && list.Length != width) is { } wrong)
            throw new JepaException($"The head standardises {wrong.Length} numbers; the encoder's vectors have {width}.", isUsage: true);
        if (!double.IsFinite(Temperature) || Temperature <= 0)
            throw new JepaException($"The head's temperature is {Temperature}; expected a positive number.", isUsage: true);
        if (Weight.Concat(Bias).Concat(Mean ?? []).Concat(Scale ?? []).Any(number => !float.IsFinite(number)) || Scale?.Any(s => s <= 0) == true)
            throw new JepaException("The head has numbers that are not finite, or scales that are not positive.", isUsage: true);
    }
}
