using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Masking;

public sealed class PatchGridTests
{
    [Fact]
    public void Index_OfEveryPatch_CountsRowByRow()
    {
        var grid = new PatchGrid(3, 5);
        var expected = 0;
        for (var row = 0; row < 3; row++)
        {
            for (var column = 0; column < 5; column++)
            {
                Assert.Equal(expected, grid.IndexOf(row, column));
                Assert.Equal((row, column), (grid.RowOf(expected), grid.ColumnOf(expected)));
                expected++;
            }
        }

        Assert.Equal(expected, grid.Count);
    }

    [Fact]
    public void OfImage_NotAMultipleOfThePatch_SaysWhatToDo()
    {
        Assert.Equal(new PatchGrid(14, 7), PatchGrid.OfImage(224, 112, 16));
        var error = Assert.Throws<JepaException>(() => PatchGrid.OfImage(224, 225, 16));
        Assert.True(error.IsUsage);
        Assert.Contains("224x225", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Block_OnAGrid_ListsItsPatches()
    {
        var block = new PatchBlock(1, 2, 2, 3);
        Assert.Equal([8, 9, 10, 14, 15, 16], block.Indices(new PatchGrid(4, 6)));
        Assert.True(block.Contains(2, 4));
        Assert.False(block.Contains(3, 4));
    }
}
