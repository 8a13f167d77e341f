using System.Globalization;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Evaluation.Features;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Cli.Features;

/// <summary>An opened encoder, and its features of images. Computes in float32, without measuring, as a head that is kept does.</summary>
internal sealed class FeatureSession : IDisposable
{
    private readonly PixelScaling _scaling;
    private readonly EncoderOutput _output;
    private readonly KeptFeatures _kept;
    private readonly int _batch;

    public FeatureSession(
        LoadedEncoder loaded, string weights, Device device, int size, bool squash, int layers, string pool, int batch, KeptFeatures kept)
    {
        (Loaded, Weights, Device, _batch, _kept) = (loaded, weights, device, batch, kept);
        Transform = squash ? HeadTransform.Whole(size) : HeadTransform.Paper(size);
        _output = PoolOption.Apply(new EncoderOutput(layers), pool, loaded);
        Features = new HeadFeatures(_output.WidthOf(loaded.Encoder), layers, pool);
        Computation = device.type == DeviceType.CPU
            ? Computation.Default(ScalarType.Float32)
            : new Computation(ScalarType.Float32, ProductMethod.Libtorch);
        loaded.Encoder.ComputeIn(Computation);
        _scaling = new PixelScaling([.. loaded.Normalization.Mean], [.. loaded.Normalization.Deviation], device);
    }

    public LoadedEncoder Loaded { get; }

    /// <summary>What <c>--weights</c> said.</summary>
    public string Weights { get; }

    public Device Device { get; }

    public Computation Computation { get; }

    public HeadTransform Transform { get; }

    public HeadFeatures Features { get; }

    /// <summary>In words: "target encoder of run/..., 64x64 pixels, cpu, fp32 on the CPU kernels".</summary>
    public string Words =>
        $"{Loaded.Name} encoder of {Loaded.Path}, {Transform.Size}x{Transform.Size} pixels, {Device.type}, {Computation.Words}";

    /// <summary>The map from images to features.</summary>
    public ImageFeatures Kind => field ??= new EncoderFeatures($"{Loaded.Name} encoder", Loaded.Encoder, _scaling, _output, Transform.Size,
        string.Create(CultureInfo.InvariantCulture, $"{Device} {Computation.Key} {Loaded.NormalizationText}"));

    /// <summary>Features of a source's images, made or found.</summary>
    /// <param name="source">The images.</param>
    /// <param name="address">Where they were opened.</param>
    /// <param name="set">What they are called.</param>
    public PooledFeatures Of(ImageSource source, string address, string set = "images") =>
        _kept.Of([Kind], source, address, set, EvaluationTransform, _batch)[0];

    /// <summary>Small pictures of the same images, row by row.</summary>
    /// <param name="source">The images.</param>
    /// <param name="address">Where they were opened.</param>
    /// <param name="features">Their features.</param>
    /// <exception cref="JepaException">An image has gone since.</exception>
    public FeatureMatrix Pictures(ImageSource source, string address, PooledFeatures features)
    {
        var pictures = _kept.Of([new PictureSignature()], source, address, "images", EvaluationTransform, _batch)[0];
        return pictures.Indices.AsSpan().SequenceEqual(features.Indices)
            ? pictures.Matrix
            : throw new JepaException($"Images of {source.Description} have changed while they were looked at. Run it again.");
    }

    /// <summary>How an image is brought to size.</summary>
    public EvaluationTransform EvaluationTransform => field ??= Transform.ToTransform();

    public void Dispose()
    {
        Loaded.Dispose();
        _scaling.Dispose();
    }
}
