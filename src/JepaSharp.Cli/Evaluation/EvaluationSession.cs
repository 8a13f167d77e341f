using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Features;
using JepaSharp.Cli.Reports;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Evaluation.Features;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using static TorchSharp.torch;

namespace JepaSharp.Cli.Evaluation;

/// <summary>One kind of features of both sets of images.</summary>
/// <param name="Name">What to call it.</param>
/// <param name="Kind">What they are.</param>
/// <param name="Fit">Of the images to fit on.</param>
/// <param name="Test">Of the test images.</param>
internal sealed record FeaturePair(string Name, FeatureKind Kind, PooledFeatures Fit, PooledFeatures Test)
{
    /// <summary>The encoder's features and raw pixels, where both are among these, as features of their own.</summary>
    public static FeaturePair? SideBySide(IReadOnlyList<FeaturePair> features)
    {
        FeaturePair? First(FeatureKind kind) => features.FirstOrDefault(f => f.Kind == kind);
        if (First(FeatureKind.Encoder) is not { } encoder || First(FeatureKind.Pixels) is not { } pixels) return null;
        var (fit, test) = JoinedFeatures.Of((encoder.Fit, encoder.Test), (pixels.Fit, pixels.Test));
        return new FeaturePair(RawPixelRival.SideBySide, FeatureKind.EncoderWithPixels, fit, test);
    }
}

/// <summary>An opened encoder and opened images, from which features are made once.</summary>
internal sealed class EvaluationSession : IDisposable
{
    /// <summary>What the images to fit on and those to score on are called.</summary>
    public const string FitSet = "fit images", TestSet = "test images";

    private const int LastLayers = 4;

    private readonly Terminal _terminal;
    private readonly KeptFeatures _features;
    private readonly OutputLock? _claim;
    private readonly Collective _ranks;
    private readonly StopSignals _stop;

    /// <summary>Opens everything, so that mistakes are found before any work is done.</summary>
    /// <exception cref="JepaException">Something is missing or does not fit.</exception>
    /// <param name="request">What was asked for; of it, ranks beside the first keep nothing.</param>
    /// <param name="weights">The options that say which encoder.</param>
    /// <param name="arguments">The command line.</param>
    /// <param name="squash">Whether images are squashed where nothing is said.</param>
    /// <param name="terminal">Where to speak.</param>
    /// <param name="stop">Signals to this process.</param>
    /// <param name="ranks">The processes that share the images; null for one alone.</param>
    public EvaluationSession(EvaluationRequest request, WeightsArguments weights, System.CommandLine.ParseResult arguments, bool squash,
        Terminal terminal, StopSignals stop, Collective? ranks = null)
    {
        _ranks = ranks ?? Collective.Alone;
        if (!_ranks.IsFirst) request = request with { Cache = null, Out = null };
        (Request, _terminal, _stop, _features) = (request, terminal, stop, new KeptFeatures(request.Cache, terminal, stop, _ranks));
        _claim = request is { Out: { } output, Run: null } ? OutputLock.Beside(output, "evaluating into") : null;
        Images = EvaluationImages.Open(request.Data, request.Test, request.MaxFit, request.MaxTest);
        if (request.HasNoHome)
            _terminal.Error.WriteLine(
                "note: There is no home folder to keep features in; the result does not depend on it. Give a folder with --cache, or --no-cache.");
        foreach (var line in SourceNotes.Of(Images.Fit).Concat(SourceNotes.Of(Images.Test)).Distinct()) terminal.Error.WriteLine(line);
        Device = TorchBackend.ChooseDevice(request.Device);
        Loaded = weights.LoadEncoder(arguments, Device);
        Notes.AddRange(Loaded.Notes);
        RankDevices.RequireAlike(_ranks, Device.type == TorchSharp.DeviceType.CUDA ? "cuda" : "cpu");
        Precision = SharedComputation.Of(
            _ranks, Device, () => ComputationChoice.For(request.Precision, Device, Loaded.Encoder.Shape, trained: false));
        Loaded.Encoder.ComputeIn(Precision.Computation);
        var shape = Loaded.Encoder.Shape;
        var size = request.Size ?? Math.Min(shape.ImageHeight, shape.ImageWidth);
        if (size % shape.PatchSize != 0)
            throw new JepaException(
                $"Images of {size} pixels are not a whole number of {shape.PatchSize}-pixel patches. Give --size a multiple of {shape.PatchSize}.",
                isUsage: true);
        Transform = (request.Transform
            ?? (squash ? "squash" : "paper")) == "squash" ? EvaluationTransform.Squash(size) : EvaluationTransform.CenterCrop(size);
        Scaling = new PixelScaling([.. Loaded.Normalization.Mean], [.. Loaded.Normalization.Deviation], Device);
        FrozenFeatures.RequireAlike(_ranks, Images.Fit);
        FrozenFeatures.RequireAlike(_ranks, Images.Test);
    }

    public EvaluationRequest Request { get; }

    public EvaluationImages Images { get; }

    public LoadedEncoder Loaded { get; }

    public Device Device { get; }

    public ComputationChoice Precision { get; }

    /// <summary>How encoders that are fine-tuned compute, chosen when first asked for and said.</summary>
    public ComputationChoice Training
    {
        get
        {
            if (field is not null) return field;
            field = ComputationChoice.For(Request.Precision, Device, Loaded.Encoder.Shape, trained: true);
            _terminal.Error.WriteLine($"fine-tuning in {field.Name} ({field.Reason})");
            return field;
        }
    }

    public PixelScaling Scaling { get; }

    public EvaluationTransform Transform { get; }

    /// <summary>What stands for an image, where there is a choice: "class token" or "patches averaged".</summary>
    public string? Pooling { get; private set; }

    /// <summary>SHA-256 of the encoder's weights.</summary>
    public string WeightsHash => field ??= WeightsFingerprint.Of(Loaded.Encoder);

    /// <summary>Time that the features took.</summary>
    public TimeSpan FeatureTime { get; private set; }

    /// <summary>What a user should know. One sentence each.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>The images that could not be read, a set each, said when they were found.</summary>
    public IReadOnlyList<LeftOutImages> LeftOut => _features.LeftOut;

    /// <summary>Which features are taken: a class token and an average together are the last layer's.</summary>
    private string Which => PoolOption.IsBoth(Request.Pool) && Request.Features == "both" ? "last" : Request.Features;

    private int Depth => Math.Min(LastLayers, Loaded.Encoder.Shape.Depth);

    /// <summary>The features asked for, the encoder's first, then those of the baselines.</summary>
    public IReadOnlyList<FeaturePair> Features()
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var fresh = Request.Baselines ? Untrained() : null;
        var kinds = Kinds(fresh);
        var fit = _features.Of(kinds, Images.Fit, Images.FitAddress, FitSet, Transform, Request.Batch);
        var test = _features.Of(kinds, Images.Test, Images.TestAddress, TestSet, Transform, Request.Batch, number: 1);
        _ = _ranks.Share([]); // nothing more to share
        FeatureTime = clock.Elapsed;
        if (SharedImages.Note(fit[^1].Matrix, test[^1].Matrix) is { } shared) Notes.Add(shared);
        return [.. kinds.Index().SelectMany(kind => Chosen(
            kind.Item, kind.Item is PixelFeatures ? FeatureKind.Pixels : kind.Index > 0 ? FeatureKind.Untrained : FeatureKind.Encoder,
            fit[kind.Index], test[kind.Index]))];
    }

    /// <summary>On a rank beside the first: makes its share of whatever features the first asks for, until it has all.</summary>
    /// <returns>The exit code.</returns>
    public int Follow()
    {
        using var work = _stop.WaitForWork();
        using var fresh = Request.Baselines ? Untrained() : null;
        var kinds = Kinds(fresh);
        while (_ranks.Share((byte[]?)null) is [var set, .. var missing])
        {
            _ = FrozenFeatures.Extract(
                [.. missing.Select(k => kinds[k])], set == 0 ? Images.Fit : Images.Test, Transform, Request.Batch, null, _ranks, _stop.Token);
        }

        return ExitCode.Done;
    }

    /// <summary>What is made of each image: the encoder's features first, then the baselines'.</summary>
    private List<ImageFeatures> Kinds(VisionTransformer? fresh)
    {
        var output = PoolOption.Apply(
            Which switch
            {
                "last" => new EncoderOutput(),
                "patches" => new EncoderOutput(1, Pooled: false),
                PoolOption.LastNormed => new EncoderOutput(Depth) { NormsEach = true },
                _ => new EncoderOutput(Depth),
            }, Request.Pool, Loaded);
        Pooling = output.PoolingOf(Loaded.Encoder.Shape);
        var computation = string.Create(CultureInfo.InvariantCulture, $"{Device} {Precision.Computation.Key} {Loaded.NormalizationText}");
        var trained = new EncoderFeatures($"{Loaded.Name} encoder", Loaded.Encoder, Scaling, output, Transform.Size, computation);
        var kinds = new List<ImageFeatures> { trained };
        if (fresh is not null)
            kinds.AddRange(
                [new EncoderFeatures("untrained encoder", fresh, Scaling, output, Transform.Size, computation), new PixelFeatures(Transform.Size)]);
        return kinds;
    }

    public void Dispose()
    {
        Images.Dispose();
        Loaded.Dispose();
        Scaling.Dispose();
        _claim?.Dispose();
    }

    /// <summary>Says that images could not be read, once, however often they are met.</summary>
    public void Say(LeftOutImages? images) => _features.Say(images);

    /// <summary>An encoder of the same shape that learned nothing; the caller disposes it.</summary>
    public VisionTransformer Untrained()
    {
        var encoder = new VisionTransformer(Loaded.Encoder.Shape, Device);
        Initialization.Initialize(encoder, Request.Seed, 0);
        encoder.ComputeIn(Precision.Computation);
        return encoder;
    }

    /// <summary>From the layers that were taken together, those asked for: the last layer's are the last columns.</summary>
    private IEnumerable<FeaturePair> Chosen(ImageFeatures kind, FeatureKind what, PooledFeatures fit, PooledFeatures test)
    {
        if (kind is not EncoderFeatures || Which is "patches")
        {
            yield return new FeaturePair(kind is EncoderFeatures ? $"{kind.Name}, every patch" : kind.Name, what, fit, test);
            yield break;
        }

        var width = Loaded.Encoder.Shape.Width;
        PooledFeatures Last(PooledFeatures all) =>
            all.Matrix.Width == width ? all : all with { Matrix = all.Matrix.Columns(all.Matrix.Width - width, width) };
        var pooling = Pooling is null ? "" : $", {Pooling}";
        if (PoolOption.IsBoth(Request.Pool))
        {
            yield return new FeaturePair($"{kind.Name}, last layer{pooling}", what, fit, test);
            yield break;
        }

        if (Which is "last" or "both")
            yield return new FeaturePair($"{kind.Name}, last layer{pooling}", what, Last(fit), Last(test));
        if (Which is "last4" or PoolOption.LastNormed or "both")
            yield return new FeaturePair($"{kind.Name}, last {Depth} layers{pooling}", what, fit, test);
    }
}
