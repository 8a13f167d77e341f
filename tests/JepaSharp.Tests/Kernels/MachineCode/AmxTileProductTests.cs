using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>Products with AMX tiles, emulated, against three loops: every number of rows and words, every layout and end. Where there is AMX,
/// the processor does the same once more.</summary>
public sealed unsafe class AmxTileProductTests
{
    private const int MostRows = 96, MostWords = 200;

    public static TheoryData<int> Ends => [.. Enum.GetValues<TileEnd>().Select(end => (int)end)];

    [Theory]
    [MemberData(nameof(Ends))]
    public void Rows_OfEveryNumber_AgreeWithThreeLoops(int end)
    {
        for (var rows = 1; rows <= MostRows; rows++)
        {
            foreach (var words in (int[])[rows % 16 + 1, 16, 32 + (rows % 17)]) Check(rows, words, LeftLayout.Rows, (TileEnd)end);
        }
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public void Words_OfEveryNumber_AgreeWithThreeLoops(int end)
    {
        for (var words = 1; words <= MostWords; words++)
        {
            foreach (var rows in (int[])[(words % 32) + 1, 33 + (words % 16)]) Check(rows, words, LeftLayout.Rows, (TileEnd)end);
        }
    }

    [Theory]
    [InlineData((int)TileEnd.Store)]
    [InlineData((int)TileEnd.Accumulate)]
    public void Panels_OfEveryNumberOfRowsAndWords_AgreeWithThreeLoops(int end)
    {
        for (var words = 1; words <= MostWords; words++) Check((words % 32) + 1, words, LeftLayout.Panel, (TileEnd)end);
        for (var rows = 1; rows <= TileProduct.Columns; rows++) Check(rows, 3 * rows, LeftLayout.Panel, (TileEnd)end);
        Check(32, 2048, LeftLayout.Panel, (TileEnd)end);
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public void Results_ThatAreExact_HaveTheBitsOfVectorProducts(int end)
    {
        foreach (var rows in (int[])[1, 7, 12])
        {
            using ProductCase tiles = new(rows, 44, pairs: true, LeftLayout.Rows, (TileEnd)end),
                vectors = new(rows, 44, pairs: true, LeftLayout.Rows, (TileEnd)end);
            Run(new EmulatedCode(tiles.Memory), tiles, rows, LeftLayout.Rows, (TileEnd)end);
            new EmulatedCode(vectors.Memory).Tile(rows, pairs: true, LeftLayout.Rows, (TileEnd)end, vectors.Arguments);
            Assert.Equal(vectors.Left(), tiles.Left());
        }
    }

    [Fact]
    public void Shapes_OfProductsAfterEachOther_AreSetOnlyWhereTheyChange()
    {
        using var product = new ProductCase(85, 40, pairs: true, LeftLayout.Rows, TileEnd.BiasRound);
        var code = new EmulatedCode(product.Memory);
        // 32, 32 and 21 rows, in whole tiles all of them; then the same again.
        for (var i = 0; i < 2; i++) Run(code, product, 85, LeftLayout.Rows, TileEnd.BiasRound);
        Assert.Equal(1, code.Processor.Tiles.TimesConfigured);
        Run(code, product, 5, LeftLayout.Rows, TileEnd.BiasRound);
        Assert.Equal(2, code.Processor.Tiles.TimesConfigured);
        // Somebody else's, between two products.
        var others = new byte[64];
        AmxShapes.Write(5, others);
        others[16] = 32;
        code.Processor.Tiles.Configure(others);
        Run(code, product, 5, LeftLayout.Rows, TileEnd.BiasRound);
        Assert.Equal(4, code.Processor.Tiles.TimesConfigured);
        code.Processor.Tiles.Release();
        Run(code, product, 85, LeftLayout.Rows, TileEnd.BiasRound);
        product.Check();
    }

    [Fact]
    public void Shapes_ForEveryNumberOfRows_AreOnesThatTheProcessorTakes()
    {
        var state = new TileState();
        for (var rows = 1; rows <= 32; rows++)
        {
            state.Configure(new ReadOnlySpan<byte>(AmxShapes.For(rows), AmxShapes.Bytes));
            Assert.Equal(Math.Min(rows, 16), state.Rows(0));
            Assert.Equal(rows > 16 ? rows - 16 : 16, state.Rows(5));
            Assert.Equal(16, state.Rows(7));
        }
    }

    [Fact]
    public void Arguments_InMemory_LieWhereTheCodeReadsThem()
    {
        var a = default(AmxArguments);
        var start = (byte*)&a;
        Assert.Equal(
            [
                AmxOffset.Left, AmxOffset.LeftStride, AmxOffset.Right, AmxOffset.Words, AmxOffset.Result, AmxOffset.ResultStride, AmxOffset.Beside,
                AmxOffset.Shapes, AmxOffset.Space, AmxOffset.LeftSecond, AmxOffset.ResultSecond, AmxOffset.LastRight, AmxOffset.LastMask,
                AmxOffset.LastRows, AmxOffset.LastSecond, AmxOffset.Unfinished, AmxOffset.UnfinishedRows,
            ],
            (int[])
            [
                (int)((byte*)&a.Tile.Left - start), (int)((byte*)&a.Tile.LeftStride - start), (int)((byte*)&a.Tile.Right - start),
                (int)((byte*)&a.Tile.Words - start), (int)((byte*)&a.Tile.Result - start), (int)((byte*)&a.Tile.ResultStride - start),
                (int)((byte*)&a.Tile.Beside - start), (int)((byte*)&a.Shapes - start), (int)((byte*)&a.Space - start),
                (int)((byte*)&a.LeftSecond - start), (int)((byte*)&a.ResultSecond - start), (int)((byte*)&a.LastRight - start),
                (int)((byte*)&a.LastMask - start), (int)((byte*)&a.LastRows - start), (int)((byte*)&a.LastSecond - start),
                (int)((byte*)&a.Unfinished - start), (int)((byte*)&a.UnfinishedRows - start),
            ]);
    }

    private static void Check(int rows, int words, LeftLayout layout, TileEnd end)
    {
        using (var product = new ProductCase(rows, words, pairs: true, layout, end))
        {
            Run(new EmulatedCode(product.Memory), product, rows, layout, end);
            product.Check();
        }

        if (!AmxSupport.IsSupported) return;
        using var real = new ProductCase(rows, words, pairs: true, layout, end);
        Run(AmxCode.Placed, real, rows, layout, end);
        real.Check();
        AmxCode.Release();
    }

    private static void Run(IAmxCode code, ProductCase product, int rows, LeftLayout layout, TileEnd end)
    {
        var arguments = product.Arguments;
        new AmxTileProducts(code).Run(rows, layout, end, ref arguments);
    }
}
