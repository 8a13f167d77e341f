using JepaSharp.Data;
using JepaSharp.Masking;
using JepaSharp.Pictures;

namespace JepaSharp.Tests.Pictures;

public sealed class MaskSheetTests
{
    // One image of 64x64 red pixels in 4x4 patches, enlarged twice; cells start at 10 + 138 k.
    private static RgbImage Sheet()
        => MaskSheet.Draw([Canvas.New(64, 64, Red)], new MaskBatch(new PatchGrid(4, 4), 2, [[5, 6, 0, 1]], [[0, 15], [3, 12]]));

    private static readonly Rgb Red = new(200, 0, 0);

    [Fact]
    public void Sheet_OfContextAndTargets_ShowsOnlyTheirPatchesInColour()
    {
        var sheet = Sheet();
        Assert.Equal(10 + (4 * 138), sheet.Width);
        var top = sheet.Height - 138;
        AssertColoured(0, Enumerable.Range(0, 16));
        AssertColoured(1, [5, 6]);
        AssertColoured(2, [0]);
        AssertColoured(3, [3]);

        void AssertColoured(int column, IEnumerable<int> patches)
        {
            for (var patch = 0; patch < 16; patch++)
            {
                var centre = sheet.Get(10 + (138 * column) + (patch % 4 * 32) + 16, top + (patch / 4 * 32) + 16);
                if (patches.Contains(patch)) Assert.Equal(Red, centre);
                else Assert.True(centre.Red == centre.Green && centre.Green == centre.Blue, $"column {column}, patch {patch}: {centre}");
            }
        }
    }

    [Fact]
    public void Sheet_OfATarget_OutlinesItInItsColour()
    {
        var sheet = Sheet();
        var edge = sheet.Get(10 + (2 * 138) + 16, sheet.Height - 138);
        var inner = sheet.Get(10 + 138 + 64, sheet.Height - 138 + 48);
        Assert.NotEqual(Red, edge);
        Assert.False(edge.Red == edge.Green && edge.Green == edge.Blue);
        Assert.Equal(Red, inner); // no line between two patches that are both shown
    }

    [Fact]
    public void Sheet_OfImagesTheGridDoesNotDivide_IsRefused()
    {
        var masks = new MaskBatch(new PatchGrid(4, 4), 1, [[0]], [[1]]);
        Assert.Throws<ArgumentException>(() => MaskSheet.Draw([new RgbImage(62, 64)], masks));
        Assert.Throws<ArgumentException>(() => MaskSheet.Draw([], masks));
        Assert.Throws<ArgumentException>(() => MaskSheet.Draw([new RgbImage(64, 64), new RgbImage(64, 64)], masks));
    }
}
