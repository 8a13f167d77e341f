using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Drawing;
using JepaSharp.Evaluation.Probes;
using static TorchSharp.torch;

namespace JepaSharp.Runs.Visualization;

/// <summary>Reads from drawn blocks of scenes what is known to be true of them: how many objects, of which colour, where.</summary>
/// <remarks>
/// A ridge probe on what random filters find in a block, and on the block's pixels made small, fitted to true blocks of other images and to nothing
/// that was drawn. Of several pictures of a representation the answers are averaged.
/// </remarks>
internal sealed class SceneReading : IDisposable
{
    /// <summary>Blocks with a truth below which nothing is said.</summary>
    public const int FewestBlocks = 20;

    private const int Places = 8, MostImages = 4000;

    private readonly Tensor _pictures;
    private readonly ulong _seed;
    private readonly Dictionary<string, (double[]?[] Truths, LinearRegressor[] Probes)> _questions = [];

    private SceneReading(Tensor pictures, ulong seed) => (_pictures, _seed) = (pictures, seed);

    /// <summary>Fits the probes to blocks of images that decoders learn from, of which no network is asked; null where the images are not
    /// scenes.</summary>
    /// <param name="preparation">Cuts the blocks.</param>
    /// <param name="training">Images that decoders learn from.</param>
    /// <param name="testing">Images of the blocks that are drawn.</param>
    /// <param name="tested">These blocks.</param>
    /// <param name="seed">Of the filters.</param>
    /// <param name="stop">Stops between batches of images.</param>
    public static SceneReading? Over(
        BlockPreparation preparation, ImageSource training, ImageSource testing, PreparedBlocks tested, ulong seed, CancellationToken stop)
    {
        if (training.SceneOf(0) is null || testing.SceneOf(0) is null) return null;
        using var fit = preparation.Of(
            training, [.. Enumerable.Range(0, Math.Min(training.Count, MostImages))], key: long.MinValue / 4, [], show: true, stop: stop);
        using var pictures = fit.Pictures.cpu();
        return Fit(training, fit with { Pictures = pictures }, testing, tested, seed);
    }

    /// <summary>Fits the probes; null where the images are not scenes, or too few blocks hold an object.</summary>
    /// <param name="training">Images, none of them tested.</param>
    /// <param name="fit">Their blocks, with the images shown.</param>
    /// <param name="testing">Images of the blocks that are drawn.</param>
    /// <param name="tested">These blocks.</param>
    /// <param name="seed">Of the filters.</param>
    public static SceneReading? Fit(ImageSource training, PreparedBlocks fit, ImageSource testing, PreparedBlocks tested, ulong seed)
    {
        var reading = new SceneReading(tested.Pictures.cpu().clone().DetachFromDisposeScope(), seed);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var features = reading.Features(fit.Pictures);
        var (knownScenes, testedScenes) = (Scenes(training, fit), Scenes(testing, tested));
        foreach (var question in SceneTruth.Questions)
        {
            var (known, truths) = (Truths(question, knownScenes, fit), Truths(question, testedScenes, tested));
            int[] rows = [.. Enumerable.Range(0, known.Length).Where(i => known[i] is not null)];
            if (rows.Length < FewestBlocks || truths.Count(t => t is not null) < FewestBlocks) continue;
            var matrix = FeatureMatrix.FromTensor(features.index_select(0, tensor(rows.Select(r => (long)r).ToArray(), device: features.device)));
            reading._questions[question] = (truths,
                [.. Enumerable.Range(0, known[rows[0]]!.Length).Select(
                    k => RidgeProbe.Fit(new RegressionSet(matrix, [.. rows.Select(r => known[r]![k])])))]);
        }

        if (reading._questions.Count > 0) return reading;
        reading.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _pictures.Dispose();

    /// <summary>What the probes say of the true blocks.</summary>
    public IReadOnlyDictionary<string, SceneAnswers> OfTheBlocks()
    {
        using var one = _pictures.unsqueeze(1);
        return Of(one);
    }

    /// <summary>What the probes say of pictures.</summary>
    /// <param name="drawn">[n, S, 3, size, size].</param>
    public IReadOnlyDictionary<string, SceneAnswers> Of(Tensor drawn)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var (count, each) = ((int)drawn.shape[0], (int)drawn.shape[1]);
        var matrix = FeatureMatrix.FromTensor(Features(drawn.flatten(0, 1)));
        return _questions.ToDictionary(q => q.Key, q =>
        {
            double[][] said = [.. q.Value.Probes.Select(probe => probe.Predict(matrix))];
            List<int> asked = [.. Enumerable.Range(0, count).Where(i => q.Value.Truths[i] is not null)];
            return SceneAnswers.Of(
                [.. asked.Select(i => said.Select(s => Enumerable.Range(0, each).Average(k => s[(i * each) + k])).ToArray())],
                [.. asked.Select(i => q.Value.Truths[i]!)]);
        });
    }

    private static (Scene? Scene, int Width, int Height)[] Scenes(ImageSource source, PreparedBlocks blocks) => [.. blocks.Shown.Select(shown =>
    {
        using var image = source.Open(shown.Index);
        return (source.SceneOf(shown.Index), image.Width, image.Height);
    })];

    private static double[]?[] Truths(string question, (Scene? Scene, int Width, int Height)[] scenes, PreparedBlocks blocks) =>
        [.. blocks.Shown.Zip(scenes, (shown, of) => of.Scene is null
            ? null
            : SceneTruth.Of(question, of.Scene, of.Width, of.Height, shown.Grid, shown.Block))];

    private Tensor Features(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return cat([RandomFilterFeatures.Of(pictures, _seed), nn.functional.adaptive_avg_pool2d(pictures, [Places, Places]).flatten(1)], 1)
            .MoveToOuterDisposeScope();
    }
}

/// <summary>How near what was read of blocks is to the truth.</summary>
/// <param name="Errors">Of each block, the squared error over all numbers of the question, by the variance of the truth: 1 on average for whoever
/// always says the mean.</param>
/// <param name="R2">1 less their mean: 1 for the truth, 0 for its mean, less for worse.</param>
internal sealed record SceneAnswers(IReadOnlyList<double> Errors, double R2)
{
    /// <summary>Blocks that were asked about.</summary>
    public int Count => Errors.Count;

    /// <summary>Of answers.</summary>
    /// <param name="said">[n], each of all numbers.</param>
    /// <param name="truths">Likewise.</param>
    public static SceneAnswers Of(double[][] said, double[][] truths)
    {
        double[] mean = [.. Enumerable.Range(0, truths[0].Length).Select(k => truths.Average(t => t[k]))];
        static double Distance(double[] a, double[] b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum();
        var variance = truths.Average(t => Distance(t, mean));
        double[] errors = [.. said.Zip(truths, Distance).Select(e => e / variance)];
        return new SceneAnswers(errors, 1 - errors.Average());
    }
}
