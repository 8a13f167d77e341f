using JepaSharp.Evaluation.Tasks;

namespace JepaSharp.Tests.Evaluation.Tasks;

public sealed class RawPixelRivalTests
{
    [Fact]
    public void Said_PixelsBehind_SaysByHowMuch()
    {
        ResultRow[] rows = [Row(FeatureKind.Encoder, 0.55) with { IsChosen = true }, Row(FeatureKind.Untrained, 0.6), Row(FeatureKind.Pixels, 0.4)];
        Assert.False(RawPixelRival.IsAhead(rows));
        Assert.Equal(["the encoder is ahead of raw pixels: 55.0% to 40.0%"], RawPixelRival.Said(rows));
    }

    [Theory]
    [InlineData(0.5, "more than either")]
    [InlineData(0.43, "no more than chance from the better of them")]
    [InlineData(0.4, "less than the better of them")]
    public void Said_PixelsAhead_SaysSoAndWhatBothReach(double both, string expected)
    {
        ResultRow[] rows =
        [
            Row(FeatureKind.Encoder, 0.41), Row(FeatureKind.Encoder, 0.224) with { IsChosen = true }, Row(FeatureKind.Pixels, 0.422),
            Row(FeatureKind.EncoderWithPixels, both),
        ];
        Assert.True(RawPixelRival.IsAhead(rows));
        var said = Assert.Single(RawPixelRival.Said(rows));
        Assert.StartsWith("raw pixels are ahead of the encoder: 42.2% to 22.4%.", said);
        Assert.Contains("--init", said);
        Assert.Contains(expected, said);
    }

    [Fact]
    public void Said_NumbersAndClasses_IsASentenceEach()
    {
        ResultRow[] rows =
        [
            Row(FeatureKind.Encoder, 0.5), Row(FeatureKind.Pixels, 0.4), Row(FeatureKind.Encoder, 0.1, "r2"), Row(FeatureKind.Pixels, 0.2, "r2"),
        ];
        Assert.True(RawPixelRival.IsAhead(rows));
        Assert.Equal(2, RawPixelRival.Said(rows).Count());
    }

    [Fact]
    public void Said_WithoutBaselines_IsNothing()
    {
        ResultRow[] rows = [Row(FeatureKind.Encoder, 0.5), Row(FeatureKind.Nothing, 0.6)];
        Assert.Empty(RawPixelRival.Said(rows));
    }

    private static ResultRow Row(FeatureKind kind, double score, string name = "accuracy") => new()
    {
        Features = kind.ToString(),
        Probe = "knn",
        Kind = kind,
        Scores = new Dictionary<string, double> { [name] = score },
    };
}
