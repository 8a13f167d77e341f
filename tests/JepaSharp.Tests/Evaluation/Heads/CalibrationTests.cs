using JepaSharp.Evaluation.Heads;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Evaluation.Heads;

public sealed class CalibrationTests
{
    private const int Classes = 4;

    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(3)]
    public void Temperature_OfOutputsScaledByIt_IsFound(double scale)
    {
        var (outputs, labels) = Drawn(4000, scale);
        Assert.Equal(scale, Calibration.Temperature(outputs, labels, Classes), 0.1 * scale);
    }

    [Fact]
    public void Temperature_OfFewImagesThatAreAllRight_StaysFinite()
    {
        double[] outputs = [5, 0, 0, 0, 0, 5, 0, 0, 0, 0, 5, 0];
        Assert.InRange(Calibration.Temperature(outputs, [0, 1, 2], Classes), 0.3, 3);
    }

    [Fact]
    public void Score_AfterTheTemperature_IsBetterThanBefore()
    {
        var (outputs, labels) = Drawn(4000, 3);
        CalibrationScore Of(double temperature) => Calibration.Score(Calibration.Probabilities(outputs, Classes, temperature), labels, Classes);
        Assert.InRange(Of(1).ExpectedError, 0.1, 0.6);
        Assert.InRange(Of(3).ExpectedError, 0, 0.03);
        Assert.True(Of(3).LogLoss < Of(1).LogLoss);
    }

    [Fact]
    public void Score_OfImagesAlwaysSureAndHalfOfThemWrong_IsAHalf()
    {
        double[] probabilities = [1, 0, 0, 0, 1, 0, 0, 0];
        Assert.Equal(0.5, Calibration.Score(probabilities, [0, 1], Classes).ExpectedError, 1e-12);
    }

    [Fact]
    public void UnsureBelow_ImagesWithMistakes_IsWhereHalfOfThemLie()
    {
        double[] probabilities = [0.9, 0.1, 0.6, 0.4, 0.7, 0.3, 0.8, 0.2, 0.95, 0.05];
        Assert.Equal(0.7, Calibration.UnsureBelow(probabilities, [0, 1, 1, 1, 0], 2), 1e-12); // 0.6, 0.7 and 0.8 are wrong
        Assert.Equal(0.6, Calibration.UnsureBelow(probabilities, [0, 0, 0, 0, 0], 2), 1e-12); // none is
    }

    [Fact]
    public void Probabilities_OfLargeOutputs_AreFiniteAndSumToOne()
    {
        var probabilities = Calibration.Probabilities([1e6, -1e6, 3, 1e6 - 1], Classes, 1);
        Assert.Equal(1, probabilities.Sum(), 1e-12);
        Assert.All(probabilities, p => Assert.InRange(p, 0, 1));
    }

    /// <summary>Outputs of which the labels are drawn, and then multiplied by a factor.</summary>
    private static (double[] Outputs, int[] Labels) Drawn(int count, double scale)
    {
        var random = new RandomStream(3, RandomPurpose.Evaluation);
        var (outputs, labels) = (new double[count * Classes], new int[count]);
        for (var i = 0; i < count; i++)
        {
            for (var c = 0; c < Classes; c++) outputs[(i * Classes) + c] = random.NextGaussian();
            var probabilities = Calibration.Probabilities(outputs.AsSpan(i * Classes, Classes), Classes, 1);
            var draw = random.NextDouble();
            while (labels[i] < Classes - 1 && (draw -= probabilities[labels[i]]) > 0) labels[i]++;
            for (var c = 0; c < Classes; c++) outputs[(i * Classes) + c] *= scale;
        }

        return (outputs, labels);
    }
}
