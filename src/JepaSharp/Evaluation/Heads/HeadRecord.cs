using System.Text.Json;
using System.Text.Json.Serialization;
using JepaSharp.Data.Cropping;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Evaluation.Heads;

/// <summary>What <c>head.json</c> holds: everything of a head but its numbers (docs/heads.md).</summary>
public sealed record HeadRecord
{
    /// <summary>The version of the folder's format that is written, and the latest that is read.</summary>
    public const int LatestFormat = 1;

    /// <summary>Version of the folder's format.</summary>
    public required int Format { get; init; }

    /// <summary>The version of JepaSharp that wrote it.</summary>
    public required string Jepasharp { get; init; }

    /// <summary>One of <see cref="HeadKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Class names in the order of the outputs; null for a head of numbers.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>The column of numbers; null for a head of classes.</summary>
    public string? Column { get; init; }

    /// <summary>Which encoder.</summary>
    public required HeadEncoder Encoder { get; init; }

    /// <summary>Which of the encoder's representations.</summary>
    public required HeadFeatures Features { get; init; }

    /// <summary>How an image is brought to size.</summary>
    public required HeadTransform Transform { get; init; }

    /// <summary>T: outputs are divided by it before the softmax; null for numbers.</summary>
    public double? Temperature { get; init; }

    /// <summary>A label of a lower probability is "unsure"; null for numbers.</summary>
    public double? UnsureBelow { get; init; }

    /// <summary>Half the width of the range that holds nine of ten true numbers; null for classes.</summary>
    public double? Interval { get; init; }

    /// <summary>The least of the numbers that the head was fitted on; null for classes, and where an earlier version fitted it.</summary>
    public double? Lowest { get; init; }

    /// <summary>The largest of them.</summary>
    public double? Highest { get; init; }

    /// <summary>k of a head of nearest neighbours.</summary>
    public int? Neighbours { get; init; }

    /// <summary>Temperature of the votes of a head of nearest neighbours; null for numbers, which are averaged.</summary>
    public double? Sharpness { get; init; }

    /// <summary>How it was fitted and what it is worth.</summary>
    public HeadReport? Report { get; init; }

    internal static JsonSerializerOptions Json { get; } = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 16,
    };
}

/// <summary>The kinds of heads, by the names that the command and <c>head.json</c> have for them.</summary>
public static class HeadKinds
{
    /// <summary>Batch norm and a linear layer, trained by SGD: <see cref="Probes.LinearProbe"/>.</summary>
    public const string Linear = "linear";

    /// <summary>Multinomial logistic regression: <see cref="Probes.LogisticProbe"/>.</summary>
    public const string Logistic = "logistic";

    /// <summary>Votes of the nearest images fitted on, <see cref="Probes.KnnProbe"/>, or the mean of their numbers.</summary>
    public const string Neighbours = "knn";

    /// <summary>A linear layer on an encoder that was trained with it.</summary>
    public const string FineTuned = "fine-tune";

    /// <summary>Ridge regression, for numbers: <see cref="Probes.RidgeProbe"/>.</summary>
    public const string Ridge = "ridge";

    /// <summary>Those that name classes.</summary>
    public static IReadOnlyList<string> OfClasses { get; } = [Linear, Logistic, Neighbours, FineTuned];

    /// <summary>Those that give a number.</summary>
    public static IReadOnlyList<string> OfNumbers { get; } = [Ridge, Neighbours];
}

/// <summary>The encoder of a head.</summary>
/// <param name="Path">Absolute path to its weights; null where they lie in the head's folder.</param>
/// <param name="Network">The network's name in them.</param>
/// <param name="Heads">Attention heads.</param>
/// <param name="Fingerprint">SHA-256 over names and numbers of its weights.</param>
/// <param name="Mean">Mean of each channel that pixels are normalised by.</param>
/// <param name="Deviation">Deviation of each channel that pixels are normalised by.</param>
public sealed record HeadEncoder(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Path, string Network, int Heads, string Fingerprint,
    IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation)
{
    /// <summary>How pixels are normalised.</summary>
    [JsonIgnore]
    public PixelNormalization Normalization => new(Mean, Deviation);
}

/// <summary>Which of an encoder's representations a head reads.</summary>
/// <param name="Width">D.</param>
/// <param name="Layers">Blocks from the last, put side by side.</param>
/// <param name="Pool">auto, mean, class, class-unnormed, class-mean or interleaved.</param>
public sealed record HeadFeatures(int Width, int Layers, string Pool)
{
    /// <summary>The representations.</summary>
    /// <exception cref="JepaException"><see cref="Pool"/> is none that is known.</exception>
    public EncoderOutput ToOutput() => Pool switch
    {
        "auto" => new EncoderOutput(Layers),
        "mean" => new EncoderOutput(Layers) { AveragesPatches = true },
        "class" => new EncoderOutput(Layers) { TakesClassToken = true },
        "class-unnormed" => new EncoderOutput(Layers) { TakesClassToken = true, IsUnnormed = true },
        "class-mean" => new EncoderOutput(Layers) { Together = ClassAndMean.SideBySide },
        "interleaved" => new EncoderOutput(Layers) { Together = ClassAndMean.Interleaved },
        _ => throw new JepaException($"The pooling \"{Pool}\" is not known. Expected auto, mean, class, class-unnormed, class-mean or interleaved.",
            isUsage: true),
    };
}

/// <summary>How an image is brought to size for a head.</summary>
/// <param name="Kind">center-crop or squash.</param>
/// <param name="Size">H = W in pixels.</param>
/// <param name="Filter">bicubic or bilinear.</param>
public sealed record HeadTransform(string Kind, int Size, string Filter)
{
    private const string CenterCrop = "center-crop", Squash = "squash", Bicubic = "bicubic", Bilinear = "bilinear";

    /// <summary>The paper's: the shorter side resized to size / 0.875, bicubic, then the centre.</summary>
    public static HeadTransform Paper(int size) => new(CenterCrop, size, Bicubic);

    /// <summary>The whole image squashed to a square, bilinear.</summary>
    public static HeadTransform Whole(int size) => new(Squash, size, Bilinear);

    /// <summary>The transform.</summary>
    /// <exception cref="JepaException">A word is not known, or the size is none.</exception>
    public EvaluationTransform ToTransform()
    {
        if (Size < 1 || Kind is not (CenterCrop or Squash) || Filter is not (Bicubic or Bilinear))
            throw new JepaException(
                $"The transform \"{Kind}\" to {Size} pixels, \"{Filter}\", is not known. Expected center-crop or squash, and bicubic or bilinear.",
                isUsage: true);
        var filter = Filter == Bicubic ? ResampleFilter.Bicubic : ResampleFilter.Bilinear;
        return Kind == CenterCrop ? EvaluationTransform.CenterCrop(Size, filter) : EvaluationTransform.Squash(Size, filter);
    }
}
