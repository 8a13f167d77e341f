using System.Globalization;
using JepaSharp.Models;

namespace JepaSharp.Weights;

/// <summary>What our safetensors files say about the networks in them, as the texts of the header.</summary>
public static class WeightsMetadata
{
    internal const string Format = "format", Heads = "heads", PredictorHeads = "predictor_heads", PredictorOutputs = "predictor_outputs";
    internal const string ImageHeight = "image_height", ImageWidth = "image_width", Epoch = "epoch", Resample = "resample";
    internal const string DecoderHeads = "decoder_heads", NormalizesPatches = "normalizes_patches";
    internal const string OurFormat = "jepasharp", Objective = "objective", Evaluated = "evaluated";
    internal const string Positions = "positions", Learned = "learned", Resizing = "position_resizing";

    /// <summary>What ways of resizing positions are called; nothing is said of the usual one.</summary>
    internal static readonly IReadOnlyDictionary<PositionResizing, string> ResizingNames = new Dictionary<PositionResizing, string>
    {
        [PositionResizing.BicubicAntialiased] = "bicubic_antialiased",
        [PositionResizing.BicubicOffset] = "bicubic_offset",
    };

    private const string Networks = "networks";
    private const string Mean = "normalization_mean", Deviation = "normalization_std";

    /// <summary>The texts for a file.</summary>
    /// <param name="encoder">The encoders' shape.</param>
    /// <param name="predictor">The predictor's shape, if it is in the file.</param>
    /// <param name="normalization">How pixels were normalised in training.</param>
    /// <param name="epoch">Epochs finished, if known.</param>
    /// <param name="resample">How images were resized in training, as Pillow numbers it (2 bilinear, 3 bicubic), if known.</param>
    /// <returns>Keys and values; more may be added.</returns>
    public static Dictionary<string, string> Describe(
        VisionTransformerShape encoder, PredictorShape? predictor = null, PixelNormalization? normalization = null, long? epoch = null,
        int? resample = null)
    {
        var texts = new Dictionary<string, string> { [Format] = OurFormat };
        Add(ImageHeight, encoder.ImageHeight);
        Add(ImageWidth, encoder.ImageWidth);
        Add("patch_size", encoder.PatchSize);
        Add("channels", encoder.Channels);
        Add("width", encoder.Width);
        Add("depth", encoder.Depth);
        Add(Heads, encoder.Heads);
        Add("mlp_width", encoder.MlpWidth);
        if (encoder.ClassToken) texts["class_token"] = "true";
        if (encoder.LearnedPositions) texts[Positions] = Learned;
        if (ResizingNames.GetValueOrDefault(encoder.Resizing) is { } resizing) texts[Resizing] = resizing;
        if (predictor is not null)
        {
            Add("predictor_width", predictor.Width);
            Add("predictor_depth", predictor.Depth);
            Add(PredictorHeads, predictor.Heads);
            if (predictor.Outputs is { } outputs) Add(PredictorOutputs, outputs);
        }

        if (normalization is not null)
        {
            texts[Mean] = Join(normalization.Mean);
            texts[Deviation] = Join(normalization.Deviation);
        }

        if (epoch is { } finished) Add(Epoch, finished);
        if (resample is { } filter) Add(Resample, filter);
        return texts;

        void Add(string key, long value) => texts[key] = value.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Says what was learned, which networks the file holds, and which of them is to be used.</summary>
    /// <param name="texts">Where to say it.</param>
    /// <param name="objective">The objective's name.</param>
    /// <param name="networks">The networks' names, in order.</param>
    /// <param name="evaluated">The name of the one to be used.</param>
    public static void DescribeObjective(Dictionary<string, string> texts, string objective, IEnumerable<string> networks, string evaluated)
    {
        ArgumentNullException.ThrowIfNull(texts);
        (texts[Objective], texts[Networks], texts[Evaluated]) = (objective, string.Join(' ', networks), evaluated);
    }

    /// <summary>Says what the weights of MAE's decoder do not.</summary>
    /// <param name="texts">Where to say it.</param>
    /// <param name="decoder">The decoder's shape.</param>
    /// <param name="normalizesPatches">Whether its targets were normalised in each patch; null where nobody knows.</param>
    internal static void DescribeDecoder(Dictionary<string, string> texts, PixelDecoderShape decoder, bool? normalizesPatches)
    {
        if (decoder.Heads > 0) texts[DecoderHeads] = decoder.Heads.ToString(CultureInfo.InvariantCulture);
        if (normalizesPatches is { } normalizes) texts[NormalizesPatches] = normalizes ? "true" : "false";
    }

    internal static string[]? NetworkList(IReadOnlyDictionary<string, string> metadata) =>
        metadata.TryGetValue(Networks, out var names)
            && names.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 and < 100 } list ? list : null;

    internal static int? Number(IReadOnlyDictionary<string, string> metadata, string key) =>
        metadata.TryGetValue(key, out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number > 0 ? number : null;

    internal static PixelNormalization? Normalization(IReadOnlyDictionary<string, string> metadata)
    {
        if (Numbers(metadata, Mean) is not { } mean || Numbers(metadata, Deviation) is not { } deviation) return null;
        var normalization = new PixelNormalization(mean, deviation);
        return normalization.IsSound ? normalization : null;
    }

    private static string Join(IEnumerable<double> numbers) =>
        string.Join(' ', numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture)));

    private static double[]? Numbers(IReadOnlyDictionary<string, string> metadata, string key)
    {
        if (!metadata.TryGetValue(key, out var text) || text.Length > 1000) return null;
        var parsed = text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN).ToArray();
        return parsed.All(double.IsFinite) ? parsed : null;
    }
}

/// <summary>How pixels in [0, 1] were normalised before the encoder saw them: (pixel - mean) / deviation, for each channel.</summary>
/// <param name="Mean">One number for each channel.</param>
/// <param name="Deviation">One positive number for each channel.</param>
public sealed record PixelNormalization(IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation)
{
    /// <summary>ImageNet's mean and deviation, with which the published models were trained.</summary>
    public static PixelNormalization ImageNet { get; } = new([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

    /// <summary>Whether the numbers can be used: as many means as deviations, all finite, deviations positive.</summary>
    internal bool IsSound =>
        Mean.Count == Deviation.Count && Mean.Count > 0 && Mean.All(double.IsFinite) && Deviation.All(d => double.IsFinite(d) && d > 0);
}
