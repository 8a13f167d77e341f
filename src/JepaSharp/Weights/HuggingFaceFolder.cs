using System.Text.Json;
using JepaSharp.Models;

namespace JepaSharp.Weights;

/// <summary>Writes an encoder as a folder that <c>IJepaModel.from_pretrained</c> of Hugging Face's transformers loads.</summary>
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
    /// <exception cref="WeightsFileException">A file cannot be written.</exception>
    /// <exception cref="ArgumentException">The weights are not exactly those of such an encoder.</exception>
    public static void Write(
        string folder, IReadOnlyDictionary<string, LazyTensor> encoder, VisionTransformerShape shape, PixelNormalization normalization,
        int resample = Bilinear)
    {
        var expected = StateLayout.Encoder(shape.Validated()).ToList();
        var wrong = expected.Where(entry => !encoder.TryGetValue(entry.Name, out var tensor) || !tensor.Shape.SequenceEqual(entry.Shape)).Select(
            entry => entry.Name)
            .Concat(encoder.Keys.Except(expected.Select(entry => entry.Name))).ToList();
        if (wrong.Count > 0)
            throw new ArgumentException(
                $"Not the weights of such an encoder; missing, of another shape or too many: {string.Join(", ", wrong.Take(5))}.", nameof(encoder));
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WeightsFileException.Failed(folder, "making the folder", e);
        }

        var ordered = expected.Select(entry => KeyValuePair.Create(entry.Name, encoder[entry.Name]));
        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"), HuggingFaceNames.FromOurs(ordered), new Dictionary<string, string> { ["format"] = "pt" });
        WriteJson(Path.Combine(folder, HuggingFaceConfig.PreprocessorName), json => Preprocessor(json, shape, normalization, resample));
        WriteJson(Path.Combine(folder, HuggingFaceConfig.FileName), json => Model(json, shape, ElementType.Name(encoder["norm.weight"].Type)));
    }

    private static void Model(Utf8JsonWriter json, VisionTransformerShape shape, string type)
    {
        json.WriteStartArray("architectures");
        json.WriteStringValue("IJepaModel");
        json.WriteEndArray();
        json.WriteNumber("attention_probs_dropout_prob", 0.0);
        json.WriteString("dtype", type);
        json.WriteString("hidden_act", "gelu");
        json.WriteNumber("hidden_dropout_prob", 0.0);
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

        json.WriteNumber("initializer_range", 0.02);
        json.WriteNumber("intermediate_size", shape.MlpWidth);
        json.WriteNumber("layer_norm_eps", 1e-6);
        json.WriteString("model_type", "ijepa");
        json.WriteNumber("num_attention_heads", shape.Heads);
        json.WriteNumber("num_channels", shape.Channels);
        json.WriteNumber("num_hidden_layers", shape.Depth);
        json.WriteNumber("patch_size", shape.PatchSize);
        json.WriteString("pooler_act", "tanh");
        json.WriteNumber("pooler_output_size", shape.Width);
        json.WriteBoolean("qkv_bias", true);
        json.WriteString("transformers_version", Release);
    }

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
