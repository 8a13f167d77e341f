using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Models;

public sealed class PositionTableTests
{
    public static TheoryData<string> Recorded => Fixtures.NamesIn("sincos");

    /// <summary>A name is WIDTHxGRID; rows are the first, the last, or numbered.</summary>
    [Theory]
    [MemberData(nameof(Recorded))]
    [Trait(RecordedFolders.Trait, "reference_numbers")]
    public void SineCosine_OnRecordedGrids_GivesRecordedRows(string name)
    {
        int[] sizes = [.. name.Split('x').Select(int.Parse)];
        var (width, grid) = (sizes[0], sizes[1]);
        var table = PositionTable.SineCosine(grid, grid, width);
        foreach (var row in Fixtures.ReferenceNumbers.GetProperty("sincos").GetProperty(name).EnumerateObject())
        {
            var index = row.Name switch { "first_row" => 0, "last_row" => (grid * grid) - 1, _ => int.Parse(row.Name["row_".Length..]) };
            var expected = row.Value.EnumerateArray().Select(e => e.GetDouble()).ToArray();
            Assert.NotEmpty(expected);
            for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], table[(index * width) + i], 1e-6);
        }
    }

    [Fact]
    public void SineCosine_OnANonSquareGrid_PutsColumnsFirst()
    {
        var table = PositionTable.SineCosine(gridHeight: 2, gridWidth: 5, width: 8);
        var last = table.AsSpan(9 * 8, 8);
        Assert.Equal(MathF.Sin(4), last[0], 1e-6f); // column 4
        Assert.Equal(MathF.Sin(1), last[4], 1e-6f); // row 1
    }

    [Fact]
    public void Interpolate_ToALargerGrid_KeepsConstantsAndCorners()
    {
        using var scope = NewDisposeScope();
        var constant = full([1, 9, 4], 2.5f);
        Assert.True(PositionTable.Interpolate(constant, 3, 3, 5, 7).allclose(full([1, 35, 4], 2.5f)));
        var same = rand([1, 9, 4]);
        Assert.True(PositionTable.Interpolate(same, 3, 3, 3, 3).equal(same).all().item<bool>());
    }
}
