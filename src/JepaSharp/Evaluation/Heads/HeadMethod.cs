using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Evaluation.Features;
using JepaSharp.Evaluation.FineTuning;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Heads;

/// <summary>A kind of head, and how it is fitted.</summary>
public abstract class HeadMethod
{
    private const string Rate = "learning_rate", Decay = "weight_decay", Penalty = "penalty", Voters = "neighbours";

    /// <summary>One of <see cref="HeadKinds"/>.</summary>
    public abstract string Kind { get; }

    /// <summary>Fits, and chooses whatever has to be chosen, on the given images alone.</summary>
    /// <param name="fit">The images.</param>
    /// <param name="settings">What an earlier fit of the same kind chose (<see cref="HeadModel.Settings"/>), so that nothing is chosen again; null to
    /// choose.</param>
    /// <param name="cancellation">Stops where that is possible.</param>
    public abstract HeadModel Fit(HeadImages fit, IReadOnlyDictionary<string, double>? settings, CancellationToken cancellation);

    /// <summary>The heads on frozen features.</summary>
    /// <param name="kind">linear, logistic or knn.</param>
    /// <param name="seed">Seed of splits and orders.</param>
    /// <exception cref="ArgumentException">Another kind.</exception>
    public static HeadMethod Frozen(string kind, ulong seed) => kind switch
    {
        HeadKinds.Linear => new FrozenMethod(kind, (set, settings) => Linear(set, settings, seed)),
        HeadKinds.Logistic => new FrozenMethod(kind, (set, settings) => Logistic(set, settings, seed)),
        HeadKinds.Neighbours => new FrozenMethod(kind, Neighbours),
        _ => throw new ArgumentException($"\"{kind}\" is no head on frozen features.", nameof(kind)),
    };

    private static HeadModel Linear(ClassificationSet set, IReadOnlyDictionary<string, double>? settings, ulong seed)
    {
        var options = new LinearOptions { Seed = seed };
        if (settings is not null) options = options with { LearningRates = [settings[Rate]], WeightDecays = [settings[Decay]] };
        else if (!HasPairs(set)) options = options with { LearningRates = [0.1], WeightDecays = [0] };
        var fitted = LinearProbe.Fit(set, options);
        return new HeadModel(new LinearOutputs(fitted.Readout),
            new Dictionary<string, double> { [Rate] = fitted.LearningRate!.Value, [Decay] = fitted.Penalty });
    }

    private static HeadModel Logistic(ClassificationSet set, IReadOnlyDictionary<string, double>? settings, ulong seed)
    {
        var options = new LogisticOptions { Seed = seed };
        if (settings is not null) options = options with { Penalties = [settings[Penalty]] };
        else if (!HasPairs(set)) options = options with { Penalties = [1e-2] };
        var fitted = LogisticProbe.Fit(set, options);
        return new HeadModel(new LinearOutputs(fitted.Readout), new Dictionary<string, double> { [Penalty] = fitted.Penalty });
    }

    // k is DINO's, but never so many that a class of few images is outvoted by the rest of the set.
    private static HeadModel Neighbours(ClassificationSet set, IReadOnlyDictionary<string, double>? settings)
    {
        var options = new KnnOptions();
        var least = set.ClassCounts().Where(count => count > 0).Min();
        options = options with { Neighbours = settings is null ? Math.Clamp(least, 1, options.Neighbours) : (int)settings[Voters] };
        return new HeadModel(new NeighbourOutputs(KnnProbe.Fit(set, options)),
            new Dictionary<string, double> { [Voters] = options.Neighbours, ["temperature"] = options.Temperature });
    }

    /// <summary>Whether some class has two images, without which none can be held out to choose a setting.</summary>
    private static bool HasPairs(ClassificationSet set) => set.ClassCounts().Any(count => count > 1);

    private sealed class FrozenMethod(string kind, Func<ClassificationSet, IReadOnlyDictionary<string, double>?, HeadModel> fit) : HeadMethod
    {
        public override string Kind => kind;

        public override HeadModel Fit(HeadImages images, IReadOnlyDictionary<string, double>? settings, CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            return fit(images.Set, settings);
        }
    }
}

/// <summary>A fitted head, and the encoder where that was trained with it.</summary>
public sealed class HeadModel : IDisposable
{
    private readonly Func<ImageSourceView, FeatureMatrix>? _features;
    private readonly IDisposable? _owned;

    internal HeadModel(HeadOutputs outputs, IReadOnlyDictionary<string, double> settings) => (Outputs, Settings) = (outputs, settings);

    private HeadModel(HeadOutputs outputs, IReadOnlyDictionary<string, double> settings, FineTunedClassifier tuned,
        Func<ImageSourceView, FeatureMatrix> features)
        : this(outputs, settings) => (Encoder, _owned, _features) = (tuned.Encoder, tuned, features);

    /// <summary>A head that was trained together with its encoder.</summary>
    /// <param name="tuned">Encoder and head; taken over.</param>
    /// <param name="normalization">How pixels were normalised.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="device">Where the networks are.</param>
    /// <param name="settings">The recipe's numbers, by name.</param>
    /// <param name="batchSize">Images a pass.</param>
    public static HeadModel Of(FineTunedClassifier tuned, PixelNormalization normalization, EvaluationTransform transform, Device device,
        IReadOnlyDictionary<string, double> settings, int batchSize = 64)
    {
        ArgumentNullException.ThrowIfNull(tuned);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var state = tuned.Head.state_dict();
        double[] Of(Tensor numbers) => numbers.detach().cpu().to(ScalarType.Float64).contiguous().data<double>().ToArray();
        var outputs = new LinearOutputs(new LinearReadout(Of(state["weight"].t()), Of(state["bias"])));
        return new HeadModel(outputs, settings, tuned, images =>
        {
            using var scaling = new PixelScaling([.. normalization.Mean], [.. normalization.Deviation], device);
            var kind = new EncoderFeatures("tuned", tuned.Encoder, scaling, new EncoderOutput(), transform.Size, "");
            var found = FrozenFeatures.Extract([kind], images.Source, transform, batchSize, cancellation: images.Cancellation)[0];
            if (LeftOutImages.Of("labelled images", images.Source, found.Indices) is { } lost)
                throw new JepaException($"Images that could be read before no longer can: {lost.Sentence}");
            return found.Matrix;
        });
    }

    /// <summary>The encoder that was trained with the head; null where it reads that of the run.</summary>
    public VisionTransformer? Encoder { get; }

    /// <summary>What was chosen or given, by name.</summary>
    public IReadOnlyDictionary<string, double> Settings { get; }

    internal HeadOutputs Outputs { get; }

    /// <summary>Outputs [n, K] for images.</summary>
    internal double[] Of(HeadImages images, CancellationToken cancellation) =>
        Outputs.Of(_features is null ? images.Set.Features : _features(new ImageSourceView(images.Images.Source, cancellation)));

    /// <summary>Ends the encoder, where there is one.</summary>
    public void Dispose() => _owned?.Dispose();
}

/// <summary>Images to make features of, and what stops it.</summary>
internal readonly record struct ImageSourceView(Data.Sources.ImageSource Source, CancellationToken Cancellation);
