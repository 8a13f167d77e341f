using System.Numerics;
using JepaSharp.Data;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Masking;
using JepaSharp.Runs.Visualization;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Runs.Visualization;

public sealed class SceneReadingTests
{
    private const int Side = 32;

    private static readonly PatchGrid Grid = new(4, 4);

    /// <summary>A picture of 48x32 whose middle square begins at column 8: 4x4 patches of 8 pixels.</summary>
    [Fact]
    public void Truth_OfABlock_IsOfTheObjectsWhoseCentresLieInIt()
    {
        var scene = new Scene(0, "s.png", "new", null,
        [
            At(8 + 8 + 4, 8, SceneColor.Red),       // in the block, a quarter across, at its top
            At(8 + 8 + 12, 8 + 15, SceneColor.Red), // in the block, three quarters across, at its bottom
            At(8 + 7, 12, SceneColor.Blue),         // a pixel left of it
            At(8 + 24, 12, SceneColor.Blue),        // a pixel right of it
        ]);
        var block = new PatchBlock(1, 1, 2, 2);
        double[] Of(string question, PatchBlock of) => SceneTruth.Of(question, scene, 48, 32, Grid, of)!;
        Assert.Equal([2.0], Of(SceneTruth.Count, block));
        var place = Of(SceneTruth.Place, block);
        Assert.Equal((0.5 + 15.5) / 2 / 16, place[0], 12);
        Assert.Equal((4.5 + 12.5) / 2 / 16, place[1], 12);
        var red = Of(SceneTruth.Colour, block);
        Assert.True(red[0] > 10 * red[1] && red[1] == red[2]);
        var empty = new PatchBlock(3, 0, 1, 1);
        Assert.Equal([0.0], Of(SceneTruth.Count, empty));
        Assert.Null(SceneTruth.Of(SceneTruth.Colour, scene, 48, 32, Grid, empty));
        Assert.Null(SceneTruth.Of(SceneTruth.Place, scene, 48, 32, Grid, empty));
    }

    /// <summary>Pictures that are the true blocks are read as these are; those of other blocks, or of nothing, are not.</summary>
    [Fact]
    public void Pictures_OfTheTrueBlocks_AreReadAsTheBlocks_AndOthersWorse()
    {
        using var source = new ScenesSource(0, 700, Side);
        using var other = new ScenesSource(0, 120, Side, first: 700);
        using var fit = Blocks(source);
        using var tested = Blocks(other);
        using var reading = SceneReading.Fit(source, fit, other, tested, seed: 0)!;
        var best = reading.OfTheBlocks();
        Assert.Equal(SceneTruth.Questions.Order(), best.Keys.Order());
        Assert.Equal(120, best[SceneTruth.Count].Count);
        Assert.All(best.Values, answers => Assert.InRange(answers.R2, 0.15, 1));
        using var twice = tested.Pictures.unsqueeze(1).expand(-1, 2, -1, -1, -1).contiguous();
        using var turned = twice.roll(1, 0);
        var (same, others) = (reading.Of(twice), reading.Of(turned));
        foreach (var (question, answers) in best)
        {
            Assert.Equal(answers.R2, same[question].R2, 4);
            Assert.True(others[question].R2 < answers.R2 - 0.2, $"{question}: {others[question].R2} of other blocks, {answers.R2} of their own");
        }
    }

    [Fact]
    public void Errors_AreInUnitsOfTheTruthsVariance()
    {
        double[][] truths = [[0, 0], [2, 0], [0, 2], [2, 2]];
        Assert.Equal(1, SceneAnswers.Of(truths, truths).R2);
        Assert.Equal(0, SceneAnswers.Of([[1, 1], [1, 1], [1, 1], [1, 1]], truths).R2, 12);
        var half = SceneAnswers.Of([[1, 0], [1, 0], [1, 2], [1, 2]], truths);
        Assert.Equal(0.5, half.R2, 12);
        Assert.Equal([0.5, 0.5, 0.5, 0.5], half.Errors);
    }

    private static SceneObject At(int x, int y, SceneColor colour) => new(
        SceneShape.Cube, SceneSize.Small, SceneMaterial.Rubber, colour, Vector3.Zero, new ScenePixel(x, y, 1), 0);

    /// <summary>The middle half of every image.</summary>
    private static PreparedBlocks Blocks(ScenesSource source)
    {
        var block = new PatchBlock(1, 1, 2, 2);
        var (first, length) = (Side / 4, Side / 2);
        List<ShownBlock> shown = [];
        List<Tensor> pictures = [];
        for (var i = 0; i < source.Count; i++)
        {
            using var opened = source.Open(i);
            var image = opened.Decode();
            using var bytes = tensor([.. image.Pixels], [Side, Side, 3], dtype: ScalarType.Byte);
            using var cut = bytes.narrow(0, first, length).narrow(1, first, length).permute(2, 0, 1).to(ScalarType.Float32);
            using var two = tensor(2 / 255f);
            using var one = tensor(1f);
            pictures.Add(cut.mul(two).sub(one));
            shown.Add(new ShownBlock(i, source.NameOf(i), new RgbImage(Side, Side, [.. image.Pixels]), Grid, new bool[Grid.Count], block));
        }

        var all = stack(pictures);
        pictures.ForEach(p => p.Dispose());
        return new PreparedBlocks(all, new Dictionary<BlockSource, Tensor>(), 0) { Shown = shown };
    }
}
