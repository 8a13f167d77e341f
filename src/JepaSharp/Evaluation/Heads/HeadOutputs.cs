using System.Globalization;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Heads;

/// <summary>What a head makes of features: a number for each class, of which the largest names it, or one number. Tells what has to be kept of
/// it.</summary>
internal abstract class HeadOutputs
{
    /// <summary>D.</summary>
    public abstract int Width { get; }

    /// <summary>Features [n, D] -> [n, K] row-major, or [n, 1] of a number.</summary>
    public abstract double[] Of(FeatureMatrix features);

    /// <summary>What is to be kept, by name; the tensors belong to the caller's dispose scope.</summary>
    public abstract IReadOnlyList<KeyValuePair<string, Tensor>> Tensors();
}

/// <summary>y = W x + b on plain features.</summary>
internal sealed class LinearOutputs(LinearReadout readout) : HeadOutputs
{
    private const string Weight = "weight", Bias = "bias";

    /// <summary>W and b.</summary>
    public LinearReadout Readout => readout;

    /// <inheritdoc/>
    public override int Width => readout.Weights.Length / readout.Bias.Length;

    /// <inheritdoc/>
    public override double[] Of(FeatureMatrix features) => readout.Apply(features);

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, Tensor>> Tensors()
    {
        // The file has a row a class, as torch.nn.Linear has; a readout a column.
        var weight = tensor(readout.Weights, [Width, readout.Bias.Length]).t().contiguous();
        return [KeyValuePair.Create(Weight, weight), KeyValuePair.Create(Bias, tensor(readout.Bias))];
    }

    /// <summary>Reads weight [K, D] and bias [K].</summary>
    /// <exception cref="JepaException">They are missing or of other shapes.</exception>
    public static LinearOutputs Read(SafetensorsFile file, int outputs, int width)
    {
        using var scope = NewDisposeScope();
        var weight = HeadTensors.Read(file, Weight, ScalarType.Float64, outputs, width).t().contiguous();
        var bias = HeadTensors.Read(file, Bias, ScalarType.Float64, outputs);
        return new LinearOutputs(new LinearReadout(weight.data<double>().ToArray(), bias.data<double>().ToArray()));
    }
}

/// <summary>The logarithms of the votes that the nearest of the images fitted on give to each class.</summary>
/// <remarks>ln(share + 0.001): a class without any vote is unlikely, not impossible.</remarks>
internal sealed class NeighbourOutputs(Neighbourhood neighbourhood) : HeadOutputs
{
    private const double Least = 1e-3;
    private const string Features = "features", Labels = "labels", Centre = "centre";

    /// <summary>k and temperature.</summary>
    public KnnOptions Options => neighbourhood.Options;

    /// <inheritdoc/>
    public override int Width => neighbourhood.Centre.Length;

    /// <inheritdoc/>
    public override double[] Of(FeatureMatrix features) => Array.ConvertAll(neighbourhood.Shares(features), share => Math.Log(share + Least));

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, Tensor>> Tensors() =>
    [
        KeyValuePair.Create(Features, tensor(neighbourhood.Unit, [neighbourhood.Labels.Length, Width])),
        KeyValuePair.Create(Labels, tensor(neighbourhood.Labels)),
        KeyValuePair.Create(Centre, tensor(neighbourhood.Centre)),
    ];

    /// <summary>Reads features [n, D], labels [n] and centre [D].</summary>
    /// <exception cref="JepaException">They are missing or of other shapes, or a label is none of the classes.</exception>
    public static NeighbourOutputs Read(SafetensorsFile file, int classes, int width, KnnOptions options)
    {
        using var scope = NewDisposeScope();
        var labels = HeadTensors.Read(file, Labels, ScalarType.Int32, (int?)null).data<int>().ToArray();
        var unit = HeadTensors.Read(file, Features, ScalarType.Float32, labels.Length, width).data<float>().ToArray();
        var centre = HeadTensors.Read(file, Centre, ScalarType.Float64, width).data<double>().ToArray();
        if (labels.Length == 0 || Array.Exists(labels, label => (uint)label >= (uint)classes))
            throw new JepaException($"{file.Path} has labels that are none of the {classes} classes. Fit the head again.", isUsage: true);
        return new NeighbourOutputs(new Neighbourhood(unit, labels, classes, centre, options));
    }
}

/// <summary>The mean of the numbers of the nearest of the images fitted on.</summary>
/// <param name="set">Their features, less their mean and of length 1.</param>
/// <param name="numbers">[n].</param>
/// <param name="neighbours">k.</param>
internal sealed class NeighbourNumbers(UnitVectors set, double[] numbers, int neighbours) : HeadOutputs
{
    private const string Features = "features", Numbers = "numbers", Centre = "centre";

    /// <summary>k.</summary>
    public int Neighbours => neighbours;

    /// <inheritdoc/>
    public override int Width => set.Width;

    /// <inheritdoc/>
    public override double[] Of(FeatureMatrix features)
    {
        using var search = new ComparedNeighbours(set);
        var found = search.Nearest(set.Like(features), neighbours);
        return [.. Enumerable.Range(0, features.Rows).Select(
            image => found.Rows.AsSpan(image * found.Count, found.Count).ToArray().Average(row => numbers[row]))];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, Tensor>> Tensors() =>
    [
        KeyValuePair.Create(Features, tensor(set.Values.ToArray(), [set.Rows, Width])),
        KeyValuePair.Create(Numbers, tensor(numbers)),
        KeyValuePair.Create(Centre, tensor(set.Centre.ToArray())),
    ];

    /// <summary>Reads features [n, D], numbers [n] and centre [D].</summary>
    /// <exception cref="JepaException">They are missing or of other shapes.</exception>
    public static NeighbourNumbers Read(SafetensorsFile file, int width, int neighbours)
    {
        using var scope = NewDisposeScope();
        var numbers = HeadTensors.Read(file, Numbers, ScalarType.Float64, (int?)null).data<double>().ToArray();
        if (numbers.Length == 0) throw new JepaException($"{file.Path} keeps no images. Fit the head again.", isUsage: true);
        var unit = HeadTensors.Read(file, Features, ScalarType.Float32, numbers.Length, width).data<float>().ToArray();
        var centre = HeadTensors.Read(file, Centre, ScalarType.Float64, width).data<double>().ToArray();
        return new NeighbourNumbers(UnitVectors.Kept(centre, unit), numbers, neighbours);
    }
}

/// <summary>Reads a head's tensors, of which type and shape are known beforehand.</summary>
internal static class HeadTensors
{
    /// <summary>One tensor, contiguous, of the caller's dispose scope.</summary>
    /// <param name="file">The head's file.</param>
    /// <param name="name">Its name.</param>
    /// <param name="type">Its type.</param>
    /// <param name="shape">Its shape; null for any length.</param>
    /// <exception cref="JepaException">It is missing, of another type or shape, or holds what is no finite number.</exception>
    public static Tensor Read(SafetensorsFile file, string name, ScalarType type, params IReadOnlyList<int?> shape)
    {
        var sides = shape.Select(side => side?.ToString(CultureInfo.InvariantCulture) ?? "n");
        var expected = $"{type} [{string.Join(", ", sides)}]";
        if (!file.Tensors.TryGetValue(name, out var lazy))
            throw new JepaException($"{file.Path} has no tensor '{name}'; expected {expected}. Fit the head again.", isUsage: true);
        var fits = lazy.Type == type && lazy.Shape.Count == shape.Count
            && lazy.Shape.Zip(shape, (found, side) => side is null || found == side).All(same => same);
        if (!fits)
            throw new JepaException($"'{name}' in {file.Path} is {lazy}; expected {expected}. Fit the head again.", isUsage: true);
        var read = lazy.Read();
        if (lazy.IsFloating && !read.isfinite().all().item<bool>())
            throw new JepaException($"'{name}' in {file.Path} holds numbers that are NaN or infinite. Fit the head again.", isUsage: true);
        return read;
    }
}
