using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using JepaSharp.Weights.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Heads;

/// <summary>A head that was kept, with its encoder, ready to be used: <c>FittedHead.Open("HEAD").Predict(images)</c>.</summary>
/// <remarks>Computes in float32, always in the same way on one machine: what <c>jepa predict</c> writes is what this says, to the bit.</remarks>
public sealed class FittedHead : IDisposable
{
    /// <summary>Images a pass of the encoder.</summary>
    public const int BatchSize = 64;

    private readonly HeadOutputs _outputs;
    private readonly VisionTransformer _encoder;
    private readonly PixelScaling _scaling;
    private readonly EncoderOutput _output;
    private readonly EvaluationTransform _transform;

    private FittedHead(HeadRecord record, HeadOutputs outputs, VisionTransformer encoder, string weights, Device device)
    {
        (Record, _outputs, _encoder, WeightsPath) = (record, outputs, encoder, weights);
        _output = record.Features.ToOutput();
        _transform = record.Transform.ToTransform();
        _scaling = new PixelScaling([.. record.Encoder.Mean], [.. record.Encoder.Deviation], device);
    }

    /// <summary>Everything that the folder says of it.</summary>
    public HeadRecord Record { get; }

    /// <summary>The file that the encoder came from.</summary>
    public string WeightsPath { get; }

    /// <summary>Class names in the order of <see cref="ImagePrediction.Probabilities"/>; empty for a head of numbers.</summary>
    public IReadOnlyList<string> Classes => Record.Classes ?? [];

    /// <summary>Opens a head.</summary>
    /// <param name="folder">The folder that <c>jepa fit</c> wrote.</param>
    /// <param name="weights">The encoder's weights, where they no longer lie where they did; null for where the head says.</param>
    /// <param name="device">Where to compute; null for the CPU.</param>
    /// <exception cref="JepaException">It is no whole head, its encoder is not to be found, or is another than it was fitted on.</exception>
    public static FittedHead Open(string folder, string? weights = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        folder = HomePath.Expand(folder);
        device ??= CPU;
        var record = HeadFolder.Read(folder);
        var outputs = HeadFolder.ReadOutputs(folder, record);
        var (encoder, path) = OpenEncoder(folder, record, weights, device);
        try
        {
            if (WeightsFingerprint.Of(encoder) != record.Encoder.Fingerprint)
                throw new JepaException(
                    $"The encoder in {path} is another than {folder} was fitted on{(weights is null ? ": its weights have changed since" : "")}. "
                        + "Give the ones it was fitted on with --weights, or fit the head again (with --embed-weights it keeps a copy of its "
                        + "encoder).", isUsage: true);
            RequireFit(folder, record, encoder);
            encoder.ComputeIn(device.type == DeviceType.CPU
                ? Computation.Default(ScalarType.Float32)
                : new Computation(ScalarType.Float32, ProductMethod.Libtorch));
            return new FittedHead(record, outputs, encoder, path, device);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <summary>Writes encoder and head as an ONNX file: the features, and the calibrated probabilities of the classes.</summary>
    /// <param name="path">A new file.</param>
    /// <param name="texts">What is said of it beside what the head says: <c>source</c>, <c>license</c> and the like; null for nothing.</param>
    /// <param name="normalizesInside">Whether it takes pixels from 0 to 1 rather than normalised ones.</param>
    /// <returns>The files written.</returns>
    /// <exception cref="JepaException">It is no linear head of classes on the last layer, or cannot be written.</exception>
    public IReadOnlyList<string> WriteOnnx(string path, IReadOnlyDictionary<string, string>? texts = null, bool normalizesInside = true)
    {
        var options = HeadGraph.Of(Record, _outputs, _encoder.Shape);
        var said = new Dictionary<string, string>(texts ?? new Dictionary<string, string>());
        foreach (var (key, value) in options.Texts) said[key] = value;
        return OnnxExport.Write(
            _encoder, Record.Encoder.Normalization, options with { NormalizesInside = normalizesInside, Texts = said }, path);
    }

    /// <summary>Predicts each image of a source, in its order; images that cannot be read are left out and counted.</summary>
    /// <param name="images">The images; not owned.</param>
    /// <param name="unsureBelow">A threshold of "unsure" in place of the head's own.</param>
    /// <param name="progress">Is told how many images are done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">Too many images cannot be read, or the encoder gives what is no number.</exception>
    public HeadPredictions Predict(
        ImageSource images, double? unsureBelow = null, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (unsureBelow is { } threshold && Record.Classes is null)
            throw new ArgumentException($"A head of numbers is never unsure; found the threshold {threshold}.", nameof(unsureBelow));
        var predictions = new List<ImagePrediction>(images.Count);
        using var untracked = no_grad();
        var reader = new ImageReader(images, _transform, BatchSize);
        foreach (var batch in reader.Read(cancellation))
        {
            var outputs = _outputs.Of(FeaturesOf(batch));
            var each = outputs.Length / batch.Count;
            for (var i = 0; i < batch.Count; i++)
                predictions.Add(Prediction(images, batch.Indices[i], outputs.AsSpan(i * each, each), unsureBelow));
            progress?.Report(predictions.Count);
        }

        return new HeadPredictions(predictions, LeftOutImages.Of("images", images, predictions.Select(p => p.Index)), reader.Unreadable);
    }

    /// <summary>Ends the encoder.</summary>
    public void Dispose()
    {
        _encoder.Dispose();
        _scaling.Dispose();
    }

    private FeatureMatrix FeaturesOf(ImageBatch batch)
    {
        using var scope = NewDisposeScope();
        var features = _output.Of(_encoder, _scaling.ToImages(batch)).cpu().contiguous();
        return new FeatureMatrix(batch.Count, Record.Features.Width, features.data<float>().ToArray());
    }

    private ImagePrediction Prediction(ImageSource images, int index, ReadOnlySpan<double> outputs, double? unsureBelow)
    {
        var name = images.NameOf(index);
        if (Record.Classes is not { } classes)
            return new ImagePrediction(index, name) { Number = outputs[0], Low = outputs[0] - Record.Interval, High = outputs[0] + Record.Interval };
        var probabilities = Calibration.Probabilities(outputs, classes.Count, Record.Temperature!.Value);
        var (label, probability) = Calibration.Best(probabilities);
        return new ImagePrediction(index, name)
        {
            Label = classes[label],
            Probability = probability,
            IsUnsure = probability < (unsureBelow ?? Record.UnsureBelow),
            Probabilities = probabilities,
        };
    }

    private static (VisionTransformer Encoder, string Path) OpenEncoder(string folder, HeadRecord record, string? asked, Device device)
    {
        var path = asked ?? record.Encoder.Path ?? Path.Combine(folder, HeadFolder.EncoderName);
        if (asked is null && !Path.Exists(path))
            throw new JepaException(
                record.Encoder.Path is null
                    ? $"{folder} lacks {HeadFolder.EncoderName}, its encoder. Fit the head again, or give the encoder with --weights."
                    : $"{path} {Absence.Of(path)}: the encoder that {folder} was fitted on has gone from there. Give it with --weights PATH.",
                isUsage: true);
        using var weights = PretrainedWeights.Open(path, record.Encoder.Heads);
        var network = weights.Has(record.Encoder.Network) ? record.Encoder.Network : weights.Evaluated;
        return (PretrainedNetworks.LoadEncoder(weights, network, device), weights.Path);
    }

    private static void RequireFit(string folder, HeadRecord record, VisionTransformer encoder)
    {
        var (features, shape) = (record.Features, encoder.Shape);
        if (features.Layers > shape.Depth || features.ToOutput().WidthOf(encoder) != features.Width || record.Transform.Size % shape.PatchSize != 0
            || record.Encoder.Mean.Count != shape.Channels)
            throw new JepaException(
                $"{Path.Combine(folder, HeadFolder.RecordName)} does not fit its encoder: {features.Width} features of {features.Layers} layers at "
                    + $"{record.Transform.Size} pixels, of an encoder of {shape.Depth} blocks, width {shape.Width} and patches of {shape.PatchSize}. "
                    + "Fit the head again.", isUsage: true);
    }
}

/// <summary>What a head says of the images of a source.</summary>
/// <param name="Images">One an image that could be read, in the source's order.</param>
/// <param name="LeftOut">The images that could not be read; null where all could.</param>
/// <param name="Unreadable">The same images one by one, with the reasons.</param>
public sealed record HeadPredictions(
    IReadOnlyList<ImagePrediction> Images, LeftOutImages? LeftOut, IReadOnlyList<ImageUnreadableException> Unreadable);

/// <summary>What a head says of one image.</summary>
/// <param name="Index">The image's place in its source.</param>
/// <param name="Image">Its name.</param>
public sealed record ImagePrediction(int Index, string Image)
{
    /// <summary>The likeliest class; null from a head of numbers.</summary>
    public string? Label { get; init; }

    /// <summary>Its probability; null from a head of numbers.</summary>
    public double? Probability { get; init; }

    /// <summary>Whether the probability is below the threshold.</summary>
    public bool IsUnsure { get; init; }

    /// <summary>The probability of each class: [K]; null from a head of numbers.</summary>
    public IReadOnlyList<double>? Probabilities { get; init; }

    /// <summary>The number; null from a head of classes.</summary>
    public double? Number { get; init; }

    /// <summary>Where the range begins that is meant to hold nine of ten true numbers.</summary>
    public double? Low { get; init; }

    /// <summary>Where that range ends.</summary>
    public double? High { get; init; }
}
