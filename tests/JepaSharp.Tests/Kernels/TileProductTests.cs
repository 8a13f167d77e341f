using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using JepaSharp.Kernels.MachineCode;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Kernels;

/// <summary>The machine code against three nested loops, on small whole numbers that every format holds exactly: results must agree to the
/// bit.</summary>
public sealed unsafe class TileProductTests
{
    public static TheoryData<int, int, string, bool, bool> Cases
    {
        get
        {
            var cases = new TheoryData<int, int, string, bool, bool>();
            foreach (var words in (int[])[1, 3, 4, 5, 11])
            {
                foreach (var form in (string[])["narrow", "wide", "wide pairs"])
                {
                    for (var rows = 1; rows <= 13; rows++)
                        cases.Add(rows, words, form, (rows + words) % 2 == 0, (rows / 2) % 2 == 0);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_OnWholeNumbers_AgreesWithThreeLoops(int rows, int words, string form, bool panel, bool accumulate)
    {
        KernelFact.NeedsSingles();
        var pairs = form == "wide pairs";
        if (pairs) KernelFact.NeedsPairs();
        Assert.SkipUnless(form == "narrow" || Avx512F.IsSupported, "This machine has no AVX-512.");
        var random = new RandomStream(7, RandomPurpose.Evaluation, sample: (rows * 100) + words);
        var depth = pairs ? 2 * words : words;
        var left = Numbers(ref random, rows * depth);
        var right = Numbers(ref random, depth * TileProduct.Columns);
        var before = Numbers(ref random, rows * TileProduct.Columns);
        var expected = new float[rows, TileProduct.Columns];
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < TileProduct.Columns; c++)
            {
                expected[r, c] = accumulate ? before[(r * TileProduct.Columns) + c] : 0;
                for (var k = 0; k < depth; k++) expected[r, c] += left[(r * depth) + k] * right[(k * TileProduct.Columns) + c];
            }
        }

        // Room to spare around everything, so that a wrong stride shows.
        var leftStride = (depth + 6) * 4;
        var resultStride = TileProduct.Columns + 16;
        var leftBytes = new byte[panel ? words * TileProduct.PanelStep : rows * leftStride];
        var rightBytes = new byte[words * TileProduct.PanelStep];
        var result = new float[rows * resultStride];
        for (var k = 0; k < depth; k++)
        {
            var (word, within) = pairs ? (k / 2, k % 2) : (k, 0);
            for (var r = 0; r < rows; r++)
                Put(leftBytes, (panel ? (word * TileProduct.PanelStep) + (4 * r) : (r * leftStride) + (4 * word)) + (2 * within),
                    left[(r * depth) + k], pairs);
            for (var c = 0; c < TileProduct.Columns; c++)
                Put(rightBytes, (word * TileProduct.PanelStep) + (4 * c) + (2 * within), right[(k * TileProduct.Columns) + c], pairs);
        }

        for (var r = 0; r < rows; r++) before.AsSpan(r * TileProduct.Columns, TileProduct.Columns).CopyTo(result.AsSpan(r * resultStride));
        fixed (byte* l = leftBytes)
        fixed (byte* r = rightBytes)
        fixed (float* c = result)
        {
            var arguments = new TileArguments
            {
                Left = l,
                LeftStride = leftStride,
                Right = r,
                Words = words,
                Result = c,
                ResultStride = resultStride * sizeof(float)
            };
            (pairs ? TileProducts.Pairs : form == "wide" ? TileProducts.Wide : TileProducts.Narrow).Run(
                rows, panel ? LeftLayout.Panel : LeftLayout.Rows, accumulate ? TileEnd.Accumulate : TileEnd.Store, ref arguments);
        }

        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < TileProduct.Columns; c++) Assert.Equal(expected[r, c], result[(r * resultStride) + c]);
            for (var c = TileProduct.Columns; c < resultStride; c++) Assert.Equal(0, result[(r * resultStride) + c]);
        }
    }

    private static float[] Numbers(ref RandomStream random, int count)
    {
        var numbers = new float[count];
        for (var i = 0; i < count; i++) numbers[i] = random.NextInt(17) - 8;
        return numbers;
    }

    private static void Put(byte[] target, int at, float value, bool half)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        if (half) MemoryMarshal.Write(target.AsSpan(at), (ushort)(bits >> 16));
        else MemoryMarshal.Write(target.AsSpan(at), bits);
    }
}
