using Iced.Intel;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>Every instruction of a product is needed, and the tests of products notice when one is missing.</summary>
public sealed class MissingInstructionTests
{
    private const int Rows = 59, Words = 140; // parts of tiles and of steps, and rows left over of four that are finished together

    [Theory]
    [InlineData((int)TileEnd.Store)]
    [InlineData((int)TileEnd.Accumulate)]
    [InlineData((int)TileEnd.BiasBeside)]
    [InlineData((int)TileEnd.BiasKeepGelu)]
    public void Product_WithoutOneOfItsInstructions_IsFoundWrong(int end)
    {
        var whole = AmxProduct.Generate(halves: 2, AmxLeft.Rows, (TileEnd)end);
        Assert.False(IsWrong(whole, (TileEnd)end));
        // The shapes that are set before have a test of their own; the ends, row after row, read again what is still there. What jumps ahead goes
        // where no rows or words are.
        var all = new DecodedCode(whole).Instructions;
        var first = all.FindIndex(one => one.Mnemonic is Mnemonic.Ldtilecfg) + 1;
        var last = all.FindLastIndex(one => one.Mnemonic is Mnemonic.Tilestored);
        var unnoticed = new List<string>();
        foreach (var one in all[first..(last + 1)].Where(one => !JumpsAhead(one)))
        {
            var without = whole.ToArray();
            without.AsSpan((int)one.IP, one.Length).Fill(0x90);
            if (!IsWrong(without, (TileEnd)end)) unnoticed.Add($"{one.IP:x}: {one}");
        }

        // To jump back to four rows more, where last words are copied: what is left over is copied row by row.
        Assert.Contains(": jge ", Assert.Single(unnoticed), StringComparison.Ordinal);
    }

    private static bool JumpsAhead(in Instruction one) => one.IsJccShortOrNear && one.NearBranchTarget > one.IP;

    private static bool IsWrong(byte[] code, TileEnd end)
    {
        using var product = new ProductCase(Rows, Words, pairs: true, LeftLayout.Rows, end);
        var arguments = product.Arguments;
        return Record.Exception(() =>
        {
            new AmxTileProducts(new EmulatedCode(product.Memory, code)).Run(Rows, LeftLayout.Rows, end, ref arguments);
            product.Check();
        }) is not null;
    }
}
