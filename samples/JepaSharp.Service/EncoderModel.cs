using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using SessionOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace JepaSharp.Service;

/// <summary>An encoder from <c>jepa export --to onnx</c>, with what its file says of how images are brought to it.</summary>
/// <remarks>Safe to use from several threads: a run uses one core.</remarks>
public sealed class EncoderModel : IDisposable
{
    private readonly InferenceSession _session;
    private readonly ImageTransform _transform;
    private readonly RunOptions _run = new();

    /// <summary>Loads a file.</summary>
    /// <exception cref="ModelUnusableException">There is no such file, or it is no encoder of JepaSharp's.</exception>
    public EncoderModel(string path)
    {
        if (!File.Exists(path)) throw new ModelUnusableException($"{path} does not exist. Write one: jepa export --to onnx --out {path}.");
        try
        {
            using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
            _session = new InferenceSession(path, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelUnusableException($"{path} cannot be loaded by ONNX Runtime: {e.Message}");
        }

        var texts = _session.ModelMetadata.CustomMetadataMap;
        if (texts.GetValueOrDefault("format") != "jepasharp" || !_session.OutputMetadata.TryGetValue("features", out var features))
            throw new ModelUnusableException($"{path} is no encoder of JepaSharp's: its metadata do not say so. Write one: jepa export --to onnx.");
        if (features.Dimensions.Length != 2)
            throw new ModelUnusableException(
                $"{path} gives a vector for each patch; this service wants one an image: export it without --pool none.");
        _transform = ImageTransform.Of(texts, path);
        Classes = texts.TryGetValue("classes", out var classes) ? JsonSerializer.Deserialize<string[]>(classes) : null;
        Description = new(Path.GetFileName(path), _transform.Size, features.Dimensions[1], Classes, texts);
    }

    /// <summary>Names of the head's classes; null where there is no head.</summary>
    public IReadOnlyList<string>? Classes { get; }

    /// <summary>What it is, for whoever asks.</summary>
    public ModelDescription Description { get; }

    /// <summary>An image's vector, and its probabilities where there is a head.</summary>
    public EncoderRun Run(Pixels image)
    {
        var size = _transform.Size;
        using var input = OrtValue.CreateTensorValueFromMemory(_transform.Apply(image), [1, 3, size, size]);
        using var outputs = _session.Run(_run, ["pixels"], [input], [.. _session.OutputNames]);
        float[] Output(string name) => outputs[_session.OutputNames.ToList().IndexOf(name)].GetTensorDataAsSpan<float>().ToArray();
        return new EncoderRun(Output("features"), Classes is null ? null : Output("probabilities"));
    }

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }
}

/// <summary>What came of an image.</summary>
/// <param name="Features">[D].</param>
/// <param name="Probabilities">[K]; null without a head.</param>
public sealed record EncoderRun(float[] Features, float[]? Probabilities);

/// <summary>What a model is.</summary>
/// <param name="Model">Its file's name.</param>
/// <param name="ImageSize">Side of the square that images are brought to.</param>
/// <param name="Width">Numbers of a vector.</param>
/// <param name="Classes">Of its head; null without one.</param>
/// <param name="Metadata">What the file says of itself.</param>
public sealed record ModelDescription(
    string Model, int ImageSize, int Width, IReadOnlyList<string>? Classes, IReadOnlyDictionary<string, string> Metadata);

/// <summary>A file that this service cannot use; the message says why and what to do.</summary>
public sealed class ModelUnusableException(string sentence) : Exception(sentence);
