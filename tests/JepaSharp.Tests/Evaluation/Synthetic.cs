using JepaSharp.Evaluation;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Evaluation;

/// <summary>Small feature matrices with known structure.</summary>
internal static class Synthetic
{
    /// <summary>Standard normal features [n, D], plus an offset on the first.</summary>
    public static FeatureMatrix Noise(int rows, int width, ulong seed, double offset = 0)
    {
        var stream = new RandomStream(seed, RandomPurpose.Evaluation);
        var values = new float[rows * width];
        for (var i = 0; i < values.Length; i++) values[i] = (float)(stream.NextGaussian() + (i % width == 0 ? offset : 0));
        return new FeatureMatrix(rows, width, values);
    }

    /// <summary>Classes in turn, each a cloud around its own axis at a distance, on features of unequal scale.</summary>
    public static ClassificationSet Clouds(int rows, int width, int classes, double distance, ulong seed)
    {
        var stream = new RandomStream(seed, RandomPurpose.Evaluation, 1);
        var values = new float[rows * width];
        var labels = new int[rows];
        for (var i = 0; i < rows; i++)
        {
            labels[i] = i % classes;
            for (var d = 0; d < width; d++)
                values[(i * width) + d] = (float)((stream.NextGaussian() + (d == labels[i] ? distance : 0)) * (1 + d) + 3);
        }

        return new ClassificationSet(new FeatureMatrix(rows, width, values), labels, classes);
    }
}
