using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>The AVX-512 tile products on any machine, against three loops: every number of rows, both formats, every layout and end.</summary>
public sealed class EmulatedTileProductTests
{
    public static TheoryData<bool, bool, int> Cases
    {
        get
        {
            var cases = new TheoryData<bool, bool, int>();
            foreach (var pairs in (bool[])[false, true])
            {
                foreach (var end in Enum.GetValues<TileEnd>())
                {
                    cases.Add(pairs, false, (int)end); // ends that round are for widened bfloat16 too
                    if (end is TileEnd.Store or TileEnd.Accumulate) cases.Add(pairs, true, (int)end);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Tile_OfEveryNumberOfRows_AgreesWithThreeLoops(bool pairs, bool panel, int end)
    {
        var layout = panel ? LeftLayout.Panel : LeftLayout.Rows;
        for (var rows = 1; rows <= TileForm.Wide.MaxRows; rows++)
        {
            foreach (var words in (int[])[1, 2, 3, 4, 5, 7, 8, 31, 64])
            {
                using var product = new ProductCase(rows, words, pairs, layout, (TileEnd)end);
                new EmulatedCode(product.Memory).Tile(rows, pairs, layout, (TileEnd)end, product.Arguments);
                product.Check();
            }
        }
    }
}
