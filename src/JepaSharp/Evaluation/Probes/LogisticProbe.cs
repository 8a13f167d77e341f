using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Probes;

/// <summary>Settings of <see cref="LogisticProbe"/>.</summary>
public sealed record LogisticOptions
{
    /// <summary>Penalties to choose among on held-out fit data, each above 0; a single one is used as it is.</summary>
    /// <remarks>As in mean cross-entropy + p/2 |W|^2 with standardised features; scikit-learn's C is 1 / (n p).</remarks>
    public IReadOnlyList<double> Penalties { get; init; } = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1];

    /// <summary>As MSN is evaluated: each image's features less their own mean and of length 1, in place of standardised ones; no bias; and penalties
    /// are divided by the images that are fitted on, n.</summary>
    public bool OfUnitFeatures { get; init; }

    /// <summary>The penalty of MSN's published evaluation with five images a class, before it is divided by n.</summary>
    public const double PublishedPenalty = 0.0025;

    /// <summary>Share of the fit data held out for the choice, between 0 and 1.</summary>
    public double HeldOutShare { get; init; } = 0.2;

    /// <summary>Seed of the split.</summary>
    public ulong Seed { get; init; }

    /// <summary>Most L-BFGS iterations for each penalty.</summary>
    public int Iterations { get; init; } = 500;

    /// <summary>Largest component of the gradient at which the minimum counts as reached.</summary>
    public double Tolerance { get; init; } = 1e-5;
}

/// <summary>Multinomial logistic regression on standardised features, fitted by L-BFGS.</summary>
/// <remarks>
/// Minimises -1/n sum ln softmax(x W + b)[label] + p/2 |W|^2, which is convex; the bias is not penalised. The penalty is the best on a
/// held-out part of the fit set, after which all of it is fitted again. Each fit starts where that of the next larger penalty ended.
/// </remarks>
public static class LogisticProbe
{
    /// <summary>Fits the classes of <paramref name="fit"/>.</summary>
    /// <exception cref="ArgumentException">No penalty, one that is not positive, or a share outside (0, 1).</exception>
    /// <exception cref="Runtime.JepaException">Images of one class only, or too few to hold any out.</exception>
    public static LinearClassifier Fit(ClassificationSet fit, LogisticOptions? options = null)
    {
        options ??= new LogisticOptions();
        _ = fit.RequireFittable();
        var start = new double[(fit.Features.Width + 1) * fit.Classes];
        var search = PenaltySearch.Run(
            options.Penalties,
            () => HeldOutSplit.ByClass(fit.Labels, fit.Classes, options.HeldOutShare, options.Seed),
            split =>
            {
                var part = fit.Select(split.Fit);
                var heldOut = fit.Select(split.HeldOut);
                return p => Minimise(part, p, options, start).Score(heldOut).Accuracy;
            });
        return Minimise(fit, search.Penalty, options, start, search.Trials);
    }

    private static LinearClassifier Minimise(
        ClassificationSet fit, double penalty, LogisticOptions options, double[] parameters, IReadOnlyList<Trial>? trials = null)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        if (options.OfUnitFeatures) fit = new ClassificationSet(UnitFeatures.Of(fit.Features), fit.Labels.ToArray(), fit.Classes);
        var moments = options.OfUnitFeatures
            ? new FeatureMoments(new double[fit.Features.Width], [.. Enumerable.Repeat(1.0, fit.Features.Width)])
            : FeatureMoments.Of(fit.Features);
        var loss = new CrossEntropy(fit, moments, options.OfUnitFeatures ? penalty / fit.Count : penalty, hasBias: !options.OfUnitFeatures);
        LimitedMemoryBfgs.Minimise(loss.Evaluate, parameters, options.Tolerance, options.Iterations);
        var weights = parameters.AsSpan(0, fit.Features.Width * fit.Classes);
        return new LinearClassifier(LinearReadout.Unstandardise(moments, weights, parameters.AsSpan(weights.Length)), penalty)
        {
            Trials = trials ?? [],
            TakesUnitFeatures = options.OfUnitFeatures,
        };
    }

    /// <summary>The penalised cross-entropy and its gradient; parameters are W [D, C], then b [C]. Lives in the caller's dispose scope.</summary>
    private sealed class CrossEntropy
    {
        // Features are kept in double precision up to 512 MiB, in single beyond.
        private const long LargestDouble = 1L << 26;

        private readonly Tensor _features, _truth;
        private readonly double _penalty;
        private readonly bool _hasBias;
        private readonly int _images, _width, _classes;

        public CrossEntropy(ClassificationSet fit, FeatureMoments moments, double penalty, bool hasBias)
        {
            _hasBias = hasBias;
            (_images, _width, _classes, _penalty) = (fit.Count, fit.Features.Width, fit.Classes, penalty);
            var type = (long)_images * _width <= LargestDouble ? ScalarType.Float64 : ScalarType.Float32;
            using var scope = NewDisposeScope();
            var centred = fit.Features.ToTensor().to(type).Subtract(tensor(moments.Mean).to(type));
            _features = (centred * tensor(moments.InverseDeviation()).to(type)).MoveToOuterDisposeScope();
            var truth = new double[_images * _classes];
            for (var i = 0; i < _images; i++) truth[(i * _classes) + fit.Labels[i]] = 1;
            _truth = tensor(truth, [_images, _classes]).MoveToOuterDisposeScope();
        }

        public double Evaluate(ReadOnlySpan<double> point, Span<double> gradient)
        {
            using var scope = NewDisposeScope();
            var size = _width * _classes;
            var weights = tensor(point[..size].ToArray(), [_width, _classes]);
            var logits = _features.mm(weights.to(_features.dtype)).to(ScalarType.Float64).Add(tensor(point[size..].ToArray()));
            var logarithms = nn.functional.log_softmax(logits, 1);
            var loss = -(logarithms * _truth).sum().item<double>() / _images;

            // d loss / d logits = (softmax - truth) / n
            var slope = logarithms.exp().Subtract(_truth).Multiply(1.0 / _images);
            var byWeight = _features.t().mm(slope.to(_features.dtype)).to(ScalarType.Float64).Add(weights.Multiply(_penalty));
            byWeight.contiguous().data<double>().CopyTo(gradient[..size]);
            if (_hasBias) slope.sum([0L]).data<double>().CopyTo(gradient[size..]);
            else gradient[size..].Clear(); // it begins at 0 and stays there
            return loss + (_penalty / 2 * (weights * weights).sum().item<double>());
        }
    }
}
