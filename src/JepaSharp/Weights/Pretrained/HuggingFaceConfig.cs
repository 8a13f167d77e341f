using System.Text.Json;
using JepaSharp.Configuration;

namespace JepaSharp.Weights;

/// <summary>Reads what the files beside a Hugging Face model say: <c>config.json</c> and <c>preprocessor_config.json</c>.</summary>
internal static class HuggingFaceConfig
{
    public const string FileName = "config.json", PreprocessorName = "preprocessor_config.json";
    public const string ImageJepa = "ijepa", MaskedAutoencoder = "vit_mae", Data2Vec = "data2vec-vision", Plain = "vit", MaskedSiamese = "vit_msn";
    private const long Longest = 1 << 20;
    private const double OurEpsilon = 1e-6;

    /// <summary>Takes over heads, image size and normalisation, where the files are there.</summary>
    /// <exception cref="WeightsFileException">A file is broken, or describes a model that is not built as ours.</exception>
    public static void Take(WeightsSource source, string folder)
    {
        var config = Path.Combine(folder, FileName);
        if (File.Exists(config)) JsonFile.Read(config, Longest, root => TakeModel(source, config, root));
        else source.Warnings.Add($"There is no {FileName} beside the weights.");
        var preprocessor = Path.Combine(folder, PreprocessorName);
        if (File.Exists(preprocessor)) JsonFile.Read(preprocessor, Longest, root => TakePreprocessor(source, preprocessor, root));
    }

    private static void TakeModel(WeightsSource source, string path, JsonElement root)
    {
        if (root.TryGetProperty("model_type", out var type) && type.ValueKind == JsonValueKind.String
            && type.GetString() is not (ImageJepa or MaskedAutoencoder or Data2Vec or Plain or MaskedSiamese))
            throw new WeightsFileException(
                path, $"a model of type '{SafetensorsHeader.Shown(type.GetString()!)}'",
                $"'{ImageJepa}', '{MaskedAutoencoder}', '{Data2Vec}', '{Plain}' or '{MaskedSiamese}'");
        if (type.ValueKind == JsonValueKind.String && type.GetString() == MaskedSiamese)
        {
            source.LearnedBy(MetaOptions.MaskedSiamese, source.Networks);
            source.LearnedPositions = true;
        }

        if (root.TryGetProperty("hidden_act", out var activation) && activation.ValueKind == JsonValueKind.String && activation.GetString() != "gelu")
            throw new WeightsFileException(path, $"the activation '{SafetensorsHeader.Shown(activation.GetString()!)}'", "'gelu'");
        if (root.TryGetProperty("layer_norm_eps", out var epsilon) && epsilon.ValueKind == JsonValueKind.Number && epsilon.GetDouble() != OurEpsilon)
            source.Warnings.Add(
                $"{FileName} says layer_norm_eps {epsilon.GetRawText()}; {OurEpsilon:0E0} is used, as the published models were trained.");
        source.Heads = Number(path, root, "num_attention_heads");
        source.DecoderHeads = Number(path, root, "decoder_num_attention_heads");
        if (root.TryGetProperty("norm_pix_loss", out var normalizes) && normalizes.ValueKind is JsonValueKind.True or JsonValueKind.False)
            source.NormalizesPatches = normalizes.ValueKind == JsonValueKind.True;
        source.ImageSize = Size(path, root);
    }

    private static void TakePreprocessor(WeightsSource source, string path, JsonElement root)
    {
        if (Normalization(path, root) is not { } normalization) return;
        if (!normalization.IsSound)
            throw new WeightsFileException(path, "an image_mean and image_std that cannot be used", "as many of each, finite, deviations positive");
        source.Normalization = normalization;
        if (root.TryGetProperty("resample", out var resample) && resample.ValueKind == JsonValueKind.Number && resample.TryGetInt32(out var filter)
            && filter > 0)
            source.Resample = filter;
    }

    /// <summary>Of pixels from 0 to 1, whatever range the file means; null where it does not say.</summary>
    private static PixelNormalization? Normalization(string path, JsonElement root)
    {
        const double largestPixel = 255;
        var range = IsOff(root, "do_rescale") ? largestPixel : largestPixel * Factor(path, root);
        if (IsOff(root, "do_normalize")) return new PixelNormalization([0, 0, 0], [1 / range, 1 / range, 1 / range]);
        if (Numbers(root, "image_mean") is not { } mean || Numbers(root, "image_std") is not { } deviation) return null;
        return new PixelNormalization([.. mean.Select(value => value / range)], [.. deviation.Select(value => value / range)]);
    }

    private static bool IsOff(JsonElement root, string key) => root.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.False;

    private static double Factor(string path, JsonElement root)
    {
        if (!root.TryGetProperty("rescale_factor", out var value) || value.ValueKind == JsonValueKind.Null) return 1 / 255.0;
        if (value.ValueKind == JsonValueKind.Number && value.GetDouble() is > 0 and var factor && double.IsFinite(factor)) return factor;
        throw new WeightsFileException(path, $"rescale_factor: {SafetensorsHeader.Shown(value.GetRawText())}", "a number above 0");
    }

    private static int? Number(string path, JsonElement root, string key)
    {
        if (!root.TryGetProperty(key, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number > 0) return number;
        throw new WeightsFileException(path, $"{key}: {SafetensorsHeader.Shown(value.GetRawText())}", "a whole number from 1");
    }

    private static (int Height, int Width)? Size(string path, JsonElement root)
    {
        if (!root.TryGetProperty("image_size", out var value)) return null;
        if (value.ValueKind == JsonValueKind.Number && Number(path, root, "image_size") is { } side) return (side, side);
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 2 && value.EnumerateArray().All(
            size => size.ValueKind == JsonValueKind.Number))
        {
            if (value[0].TryGetInt32(out var height) && value[1].TryGetInt32(out var width) && height > 0 && width > 0) return (height, width);
        }

        throw new WeightsFileException(
            path, $"image_size: {SafetensorsHeader.Shown(value.GetRawText())}", "a side, or a height and a width, in pixels");
    }

    private static double[]? Numbers(JsonElement root, string key) =>
        root.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Array && value.GetArrayLength() is > 0 and <= 64
            && value.EnumerateArray().All(number => number.ValueKind == JsonValueKind.Number)
            ? [.. value.EnumerateArray().Select(number => number.GetDouble())]
            : null;
}
