using System.Globalization;
using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Models;

namespace JepaSharp.Weights;

/// <summary>Writes an encoder as a folder that <c>IJepaModel.from_pretrained</c> of Hugging Face's transformers loads, or, with a class token,
/// <c>ViTMAEModel.from_pretrained</c>; with learned positions too, <c>ViTModel.from_pretrained(folder, add_pooling_layer=False)</c> or, of MSN,
/// <c>ViTMSNModel.from_pretrained</c>; with BEiT's blocks, <c>Data2VecVisionModel.from_pretrained</c>.</summary>
/// <remarks>
/// <c>model.safetensors</c>, <c>config.json</c>, and a <c>preprocessor_config.json</c> with the normalisation of the training, so that the pipeline
/// there feeds the encoder what it knows.
/// </remarks>
public static class HuggingFaceFolder
{
    /// <summary>Pillow's number for bilinear resampling, with which random resized crops are made in training.</summary>
    public const int Bilinear = 2;

    /// <summary>The release whose files were compared with ours.</summary>
    private const string Release = "5.12.1";

    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    /// <summary>Writes the three files, making the folder if need be. Files of other names in it stay.</summary>
    /// <param name="folder">Where to write.</param>
    /// <param name="encoder">The encoder's weights by names inside it ("norm.weight"), all of them and nothing else.</param>
    /// <param name="shape">The encoder's shape.</param>
    /// <param name="normalization">How pixels were normalised in training.</param>
    /// <param name="resample">Pillow's number for the resampling to use there.</param>
    /// <param name="decoder">MAE's decoder, to be written beside it; null for none.</param>
    /// <param name="objective">What was learned, where that is known: MSN's encoders have a model of their own there.</param>
    /// <exception cref="WeightsFileException">A file cannot be written.</exception>
    /// <exception cref="ArgumentException">The weights are not exactly those of such networks.</exception>
    public static void Write(
        string folder, IReadOnlyDictionary<string, LazyTensor> encoder, VisionTransformerShape shape, PixelNormalization normalization,
        int resample = Bilinear, HuggingFaceDecoder? decoder = null, string? objective = null)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(encoder);
        if (decoder is not null && !shape.ClassToken)
            throw new ArgumentException("MAE's decoder stands beside an encoder with a class token; this one has none.", nameof(decoder));
        var own = Ordered(StateLayout.Encoder(shape.Validated()), encoder, "encoder");
        List<KeyValuePair<string, LazyTensor>> ordered = [.. HuggingFaceNames.FromOurs(own)];
        if (decoder is not null)
            ordered =
            [
                .. ordered.Select(entry => KeyValuePair.Create("vit." + entry.Key, entry.Value)),
                .. HuggingFaceNames.DecoderFromOurs(Ordered(StateLayout.Decoder(decoder.Shape, shape), decoder.Weights, "decoder")),
            ];
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WeightsFileException.Failed(folder, "making the folder", e);
        }

        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), ordered, new Dictionary<string, string> { ["format"] = "pt" });
        WriteJson(Path.Combine(folder, HuggingFaceConfig.PreprocessorName), json => Preprocessor(json, shape, normalization, resample));
        var type = ElementType.Name(encoder["norm.weight"].Type);
        WriteJson(Path.Combine(folder, HuggingFaceConfig.FileName), json => Model(json, shape, type, decoder, objective));
    }

    /// <summary>A network's weights in the published order.</summary>
    private static IEnumerable<KeyValuePair<string, LazyTensor>> Ordered(
        IEnumerable<(string Name, long[] Shape)> layout, IReadOnlyDictionary<string, LazyTensor> weights, string what)
    {
        var expected = layout.ToList();
        var wrong = expected.Where(entry => !weights.TryGetValue(entry.Name, out var tensor) || !tensor.Shape.SequenceEqual(entry.Shape)).Select(
            entry => entry.Name)
            .Concat(weights.Keys.Except(expected.Select(entry => entry.Name))).ToList();
        if (wrong.Count > 0)
            throw new ArgumentException(
                $"Not the weights of such {(what[0] == 'e' ? "an" : "a")} {what}; missing, of another shape or too many: "
                    + $"{string.Join(", ", wrong.Take(5))}.", nameof(weights));
        return expected.Select(entry => KeyValuePair.Create(entry.Name, weights[entry.Name]));
    }

    private static void Model(Utf8JsonWriter json, VisionTransformerShape shape, string numbers, HuggingFaceDecoder? decoder, string? objective)
    {
        json.WriteStartArray("architectures");
        var (type, architecture) = shape switch
        {
            _ when IsData2Vec(shape) => (HuggingFaceConfig.Data2Vec, "Data2VecVisionModel"),
            { ClassToken: false } => (HuggingFaceConfig.ImageJepa, "IJepaModel"),
            _ when IsPlain(shape) && objective == MetaOptions.MaskedSiamese => (HuggingFaceConfig.MaskedSiamese, "ViTMSNModel"),
            _ when IsPlain(shape) => (HuggingFaceConfig.Plain, "ViTModel"),
            _ => (HuggingFaceConfig.MaskedAutoencoder, decoder is null ? "ViTMAEModel" : "ViTMAEForPreTraining"),
        };
        json.WriteStringValue(architecture);
        json.WriteEndArray();
        Real(json, "attention_probs_dropout_prob", 0.0);
        decoder?.Describe(json);
        json.WriteString("dtype", numbers);
        json.WriteString("hidden_act", "gelu");
        Real(json, "hidden_dropout_prob", 0.0);
        json.WriteNumber("hidden_size", shape.Width);
        if (shape.ImageHeight == shape.ImageWidth)
        {
            json.WriteNumber("image_size", shape.ImageHeight);
        }
        else
        {
            json.WriteStartArray("image_size");
            json.WriteNumberValue(shape.ImageHeight);
            json.WriteNumberValue(shape.ImageWidth);
            json.WriteEndArray();
        }

        Real(json, "initializer_range", 0.02);
        json.WriteNumber("intermediate_size", shape.MlpWidth);
        Real(json, "layer_norm_eps", 1e-6);
        // The model there always masks; of an encoder alone whole images are wanted.
        if (type == HuggingFaceConfig.MaskedAutoencoder) Real(json, "mask_ratio", decoder is null ? 0.0 : 0.75);
        if (IsData2Vec(shape)) Real(json, "layer_scale_init_value", shape.LayerScale ? 1e-4 : 0);
        json.WriteString("model_type", type);
        json.WriteNumber("num_attention_heads", shape.Heads);
        json.WriteNumber("num_channels", shape.Channels);
        json.WriteNumber("num_hidden_layers", shape.Depth);
        json.WriteNumber("patch_size", shape.PatchSize);
        if (!shape.ClassToken)
        {
            json.WriteString("pooler_act", "tanh");
            json.WriteNumber("pooler_output_size", shape.Width);
        }

        if (!IsData2Vec(shape)) json.WriteBoolean("qkv_bias", true);
        json.WriteString("transformers_version", Release);
        if (!IsData2Vec(shape)) return;
        json.WriteBoolean("use_absolute_position_embeddings", shape.AbsolutePositions);
        json.WriteBoolean("use_mask_token", shape.MaskToken);
        json.WriteBoolean("use_mean_pooling", false); // its own pooler, which is no part of the encoder
        json.WriteBoolean("use_relative_position_bias", false); // a table for each block
        json.WriteBoolean("use_shared_relative_position_bias", shape.RelativePositions);
    }

    /// <summary>With a point, whatever its value: transformers refuses a whole number where it expects a real one.</summary>
    private static void Real(Utf8JsonWriter json, string name, double value)
    {
        var text = value.ToString(CultureInfo.InvariantCulture);
        json.WritePropertyName(name);
        json.WriteRawValue(text.AsSpan().ContainsAny('.', 'E') ? text : text + ".0");
    }

    /// <summary>Whether an encoder has BEiT's blocks, which only that model has: keys have no bias.</summary>
    internal static bool IsData2Vec(VisionTransformerShape shape) => shape.ClassToken && !shape.KeyBias;

    /// <summary>With a class token and learned positions it is a ViTModel, whose pooling layer is nobody's here.</summary>
    private static bool IsPlain(VisionTransformerShape shape) => shape is { ClassToken: true, LearnedPositions: true, KeyBias: true };

    private static void Preprocessor(Utf8JsonWriter json, VisionTransformerShape shape, PixelNormalization normalization, int resample)
    {
        json.WriteBoolean("do_normalize", true);
        json.WriteBoolean("do_rescale", true);
        json.WriteBoolean("do_resize", true);
        Numbers("image_mean", normalization.Mean);
        json.WriteString("image_processor_type", "ViTImageProcessor");
        Numbers("image_std", normalization.Deviation);
        json.WriteNumber("resample", resample);
        json.WriteNumber("rescale_factor", 1.0 / 255);
        json.WriteStartObject("size");
        json.WriteNumber("height", shape.ImageHeight);
        json.WriteNumber("width", shape.ImageWidth);
        json.WriteEndObject();

        void Numbers(string key, IReadOnlyList<double> values)
        {
            json.WriteStartArray(key);
            foreach (var value in values) json.WriteNumberValue(value);
            json.WriteEndArray();
        }
    }

    private static void WriteJson(string path, Action<Utf8JsonWriter> write) => DurableFile.Write(path, stream =>
    {
        using (var json = new Utf8JsonWriter(stream, Indented))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    });
}

/// <summary>MAE's decoder for a Hugging Face folder.</summary>
/// <param name="Weights">Its weights by names inside it ("decoder_norm.weight"), all of them and nothing else.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="NormalizesPatches">Whether it was trained to guess pixels normalised in each patch.</param>
public sealed record HuggingFaceDecoder(IReadOnlyDictionary<string, LazyTensor> Weights, PixelDecoderShape Shape, bool NormalizesPatches)
{
    internal void Describe(Utf8JsonWriter json)
    {
        json.WriteNumber("decoder_hidden_size", Shape.Width);
        json.WriteNumber("decoder_intermediate_size", Shape.MlpWidth);
        json.WriteNumber("decoder_num_attention_heads", Shape.Heads);
        json.WriteNumber("decoder_num_hidden_layers", Shape.Depth);
        json.WriteBoolean("norm_pix_loss", NormalizesPatches);
    }
}
