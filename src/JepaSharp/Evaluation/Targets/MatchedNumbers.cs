using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Targets;

/// <summary>A number for each image to fit on and to score on.</summary>
/// <param name="Fit">One an image to fit on; null where it has none.</param>
/// <param name="Test">One a test image; null where it has none.</param>
public sealed record MatchedNumbers(double?[] Fit, double?[] Test)
{
    /// <summary>The images to fit on that have a number.</summary>
    public RegressionSet FitSet(PooledFeatures features) => Set(features, Fit);

    /// <summary>The test images that have a number, sealed.</summary>
    public RegressionTestSet TestSet(PooledFeatures features) => new(Set(features, Test));

    private static RegressionSet Set(PooledFeatures features, double?[] values)
    {
        int[] rows = [.. Enumerable.Range(0, features.Indices.Length).Where(row => values[features.Indices[row]] is not null)];
        if (rows.Length == 0) throw new JepaException("None of the images that have a number can be read.", isUsage: true);
        return new RegressionSet(
            rows.Length == features.Matrix.Rows ? features.Matrix : features.Matrix.Select(rows),
            [.. rows.Select(row => values[features.Indices[row]]!.Value)]);
    }
}
