using System.Runtime.Intrinsics.X86;
using JepaSharp.Kernels;
using JepaSharp.Kernels.MachineCode;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Kernels;

/// <summary>The machine code in the form that Windows calls, run here: the same bytes come out, the caller's registers are as they were.</summary>
public sealed unsafe class CallFormTests
{
    private const int Words = 11, Stride = TileProduct.Columns * sizeof(float);

    public static TheoryData<string, int> Tiles
    {
        get
        {
            var tiles = new TheoryData<string, int>();
            foreach (var form in (string[])["narrow", "wide", "wide pairs"])
                for (var rows = 1; rows <= FormOf(form).MaxRows; rows++) tiles.Add(form, rows);
            return tiles;
        }
    }

    [Theory]
    [MemberData(nameof(Tiles))]
    public void Generate_ForWindows_ComputesTheSameAndKeepsTheCallersRegisters(string form, int rows)
    {
        WindowsCall.NeedsSystemV();
        KernelFact.NeedsSingles();
        Assert.SkipUnless(form == "narrow" || Avx512F.IsSupported, "This machine has no AVX-512.");
        if (form == "wide pairs") KernelFact.NeedsPairs();
        foreach (var (layout, end) in Kinds(FormOf(form)))
        {
            byte[] Of(CallConvention convention) => TileProduct.Generate(rows, FormOf(form), layout, end, convention);
            var expected = Product(Of(CallConvention.SystemV), form == "wide pairs", windows: false);
            Assert.Equal(expected, Product(Of(CallConvention.Windows), form == "wide pairs", windows: true));
            Assert.Contains(expected, b => b != 0);
        }
    }

    [Fact]
    public void Rounding_ForWindows_ComputesTheSameAndKeepsTheCallersRegisters()
    {
        WindowsCall.NeedsSystemV();
        KernelFact.NeedsPairs();
        Assert.Equal(Row(RowRoutines.Rounding(CallConvention.SystemV), norm: false, windows: false),
            Row(RowRoutines.Rounding(CallConvention.Windows), norm: false, windows: true));
        Assert.Equal(Row(RowRoutines.Norming(CallConvention.SystemV), norm: true, windows: false),
            Row(RowRoutines.Norming(CallConvention.Windows), norm: true, windows: true));
    }

    /// <summary>Where there is no AVX-512: its code is the body of Linux, between the same instructions that the narrow form runs between.</summary>
    [Theory]
    [InlineData("wide", 12)]
    [InlineData("wide pairs", 12)]
    [InlineData("wide", 8)]
    [InlineData("narrow", 6)]
    public void Generate_ForWindows_IsTheSameCodeBetweenWhatKeepsRegisters(string form, int rows)
    {
        foreach (var (layout, end) in Kinds(FormOf(form)).Where(k => k.End <= TileEnd.BiasBeside))
        {
            var body = TileProduct.Generate(rows, FormOf(form), layout, end, CallConvention.SystemV).AsSpan()[..^4]; // vzeroupper, ret
            var windows = TileProduct.Generate(rows, FormOf(form), layout, end, CallConvention.Windows).AsSpan();
            var narrowBody = TileProduct.Generate(6, TileForm.Narrow, layout, end, CallConvention.SystemV).AsSpan()[..^4];
            var narrow = TileProduct.Generate(6, TileForm.Narrow, layout, end, CallConvention.Windows).AsSpan();
            var (at, narrowAt) = (windows.IndexOf(body), narrow.IndexOf(narrowBody));
            Assert.True(at > 0 && narrowAt > 0, $"{layout} {end}: the body is not found.");
            if (layout == LeftLayout.Panel)
            {
                Assert.Equal(narrow[..narrowAt].ToArray(), windows[..at].ToArray());
                Assert.Equal(narrow[(narrowAt + narrowBody.Length)..].ToArray(), windows[(at + body.Length)..].ToArray());
            }
        }
    }

    [Fact]
    public void Finish_WhereTheBodyWritesItsArgument_Refuses()
    {
        var code = new Assembler();
        code.Add(Register.Rdi, 8);
        Assert.Throws<InvalidOperationException>(() => CallForm.Finish(code, CallConvention.Windows, 0));
    }

    /// <summary>What the other tests rest on: registers that change are seen.</summary>
    [Fact]
    public void Make_WhereAFunctionKeepsNothing_NamesWhatItChanged()
    {
        WindowsCall.NeedsSystemV();
        var code = new Assembler(32);
        foreach (var vector in (int[])[5, 6, 15]) code.Zero(vector);
        code.LoadAddress(Register.Rsi, new Address(Register.Rcx));
        code.LoadAddress(Register.Rax, new Address(Register.Rcx));
        var kept = CallForm.Finish(code, CallConvention.SystemV, 0);
        byte argument = 0;
        Assert.Equal(["RSI", "XMM6", "XMM15"], WindowsCall.Make(MappedMemory.PlaceCode(kept), &argument));
    }

    private static TileForm FormOf(string name) => name switch
    {
        "narrow" => TileForm.Narrow,
        "wide" => TileForm.Wide,
        _ => TileForm.WidePairs,
    };

    private static IEnumerable<(LeftLayout Layout, TileEnd End)> Kinds(TileForm form) =>
        from layout in Enum.GetValues<LeftLayout>()
        from end in Enum.GetValues<TileEnd>()
        where layout == LeftLayout.Rows || end <= TileEnd.Accumulate
        where end <= TileEnd.BiasBeside || (form.VectorBytes == 64 && KernelSupport.Pairs)
        select (layout, end);

    /// <summary>What the code leaves in memory: the result, and what lies beside.</summary>
    private static byte[] Product(byte[] code, bool pairs, bool windows)
    {
        const int rows = 12;
        byte[] left = Numbers(rows * Stride, pairs), right = Numbers(Words * TileProduct.PanelStep, pairs), bias = Numbers(Stride, false);
        byte[] result = Numbers(rows * Stride, false), beside = Numbers(rows * Stride, false);
        fixed (byte* l = left, r = right, b = bias, c = result, o = beside)
        {
            SavedRegisters saved;
            var arguments = new TileArguments
            {
                Left = l,
                LeftStride = Stride,
                Right = r,
                Words = Words,
                Result = c,
                ResultStride = Stride,
                Bias = (float*)b,
                Constants = VectorFunctions.GeluConstants.Values,
                Beside = o,
                Saved = &saved,
            };
            Run(code, &arguments, windows);
        }

        return [.. result, .. beside];
    }

    private static byte[] Row(byte[] code, bool norm, bool windows)
    {
        const int count = 96;
        byte[] row = Numbers(4 * count, false), scale = Numbers(4 * count, false), shift = Numbers(4 * count, false), target = new byte[2 * count];
        fixed (byte* r = row, a = scale, b = shift, t = target)
        {
            SavedRegisters saved;
            if (norm)
            {
                var arguments = new NormArguments
                {
                    Row = (float*)r,
                    Scale = (float*)a,
                    Shift = (float*)b,
                    Target = t,
                    Count = count,
                    Mean = 0.5f,
                    Inverse = 3,
                    Saved = &saved,
                };
                Run(code, &arguments, windows);
            }
            else
            {
                var arguments = new RoundArguments { From = (float*)r, To = t, Count = count, Saved = &saved };
                Run(code, &arguments, windows);
            }
        }

        Assert.Contains(target, x => x != 0);
        return target;
    }

    private static void Run(byte[] code, void* argument, bool windows)
    {
        var placed = MappedMemory.PlaceCode(code);
        if (windows) Assert.Empty(WindowsCall.Make(placed, argument));
        else ((delegate* unmanaged<void*, void>)placed)(argument);
    }

    /// <summary>Small numbers as float32, or as bfloat16.</summary>
    private static byte[] Numbers(int bytes, bool half)
    {
        var random = new RandomStream(11, RandomPurpose.Evaluation, sample: bytes);
        var numbers = new byte[bytes];
        for (var at = 0; at < bytes; at += half ? 2 : 4)
        {
            var bits = BitConverter.SingleToUInt32Bits((random.NextInt(17) - 8) / 4f);
            for (var i = 0; i < (half ? 2 : 4); i++) numbers[at + i] = (byte)(bits >> (8 * (i + (half ? 2 : 0))));
        }

        return numbers;
    }
}
