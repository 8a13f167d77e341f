using JepaSharp.Evaluation.Drawing;
using JepaSharp.Runs.Visualization;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Runs.Visualization;

public sealed class VisualizationWordsTests
{
    /// <summary>Where an untrained predictor agrees nearly as much, it is the place that tells, and that is said.</summary>
    [Theory]
    [InlineData(0.008, false)]
    [InlineData(0.199, true)]
    public void Words_WhereAnUntrainedPredictorAgrees_SayThatThePlaceTells(double untrained, bool isSaid)
    {
        var numbers = new VisualizationNumbers();
        numbers.Measures.Add(Of(BlockSource.Predictor, 0.247));
        numbers.Measures.Add(Of(BlockSource.WrongPosition, 0.01));
        numbers.Measures.Add(Of(BlockSource.Untrained, untrained));
        using var pictures = zeros(4, 3, 8, 8);
        using var tested = new PreparedBlocks(pictures, new Dictionary<BlockSource, Tensor>(), 0);
        var said = new VisualizationWords(numbers, tested, 2).Said().Select(s => s.Text).ToList();
        Assert.Contains("says something of the block that the context alone does not", said[0]);
        Assert.Equal(isSaid, said[1].Contains("where the block lies", StringComparison.Ordinal));
    }

    private static SourceMeasures Of(BlockSource who, double mean)
    {
        double[] gains = [mean - 0.001, mean + 0.001, mean - 0.001, mean + 0.001];
        var agreement = new DrawingAgreement(gains, mean, mean, 0.0006, 0.0001, 0.25);
        return new SourceMeasures(who, agreement, agreement, new DrawingSpread(0.5, [0.5]));
    }
}
