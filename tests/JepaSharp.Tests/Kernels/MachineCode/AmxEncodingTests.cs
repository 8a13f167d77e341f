using Iced.Intel;
using JepaSharp.Kernels.MachineCode;
using Assembler = JepaSharp.Kernels.MachineCode.Assembler;
using Register = JepaSharp.Kernels.MachineCode.Register;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>AMX instructions byte for byte as GNU as 2.40 writes them, and what a decoder that is not ours reads in ours.</summary>
public sealed class AmxEncodingTests
{
    private const Register R12 = (Register)12, R13 = (Register)13, R14 = (Register)14;

    public static TheoryData<string, string> Known => new()
    {
        { "ldtilecfg [rdi]", "c4 e2 78 49 07" },
        { "ldtilecfg [r12+0x40]", "c4 c2 78 49 44 24 40" },
        { "sttilecfg [rsi]", "c4 e2 79 49 06" },
        { "tilerelease", "c4 e2 78 49 c0" },
        { "tilezero tmm0", "c4 e2 7b 49 c0" },
        { "tilezero tmm5", "c4 e2 7b 49 e8" },
        { "tileloadd tmm0, [rsi+rdx]", "c4 e2 7b 4b 04 16" },
        { "tileloadd tmm6, [r8+r9]", "c4 82 7b 4b 34 08" },
        { "tileloadd tmm1, [rsi+rcx+0x400]", "c4 e2 7b 4b 8c 0e 00 04 00 00" },
        { "tileloaddt1 tmm4, [rsi+rdx]", "c4 e2 79 4b 24 16" },
        { "tilestored [rdi+rdx], tmm3", "c4 e2 7a 4b 1c 17" },
        { "tilestored [r13+r14*4], tmm7", "c4 82 7a 4b 7c b5 00" },
        { "tdpbf16ps tmm0, tmm1, tmm2", "c4 e2 6a 5c c1" },
        { "tdpbf16ps tmm3, tmm6, tmm7", "c4 e2 42 5c de" },
        { "tdpbf16ps tmm6, tmm5, tmm4", "c4 e2 5a 5c f5" },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void Instruction_ThatIsKnown_HasTheBytesOfAnotherAssembler(string text, string bytes)
    {
        var code = new Assembler();
        Write(code, text);
        Assert.Equal(bytes, Convert.ToHexStringLower(code.ToArray()).Chunk(2).Select(b => new string(b)).Aggregate((a, b) => $"{a} {b}"));
        var read = Decoder.Create(64, new ByteArrayCodeReader(code.ToArray())).Decode();
        Assert.Equal(text.Replace(" ", "", StringComparison.Ordinal), Text(read).Replace(" ", "", StringComparison.Ordinal));
    }

    public static TheoryData<string> Written => [.. Instructions.Keys];

    [Theory]
    [MemberData(nameof(Written))]
    public void Instruction_AsWritten_IsReadAsMeant(string text)
    {
        var code = new Assembler();
        Instructions[text](code);
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code.ToArray()));
        var read = new List<string>();
        while (decoder.IP < (ulong)code.ToArray().Length) read.Add(Text(decoder.Decode()));
        Assert.Equal(text, string.Join("; ", read));
    }

    [Fact]
    public void Code_OfEveryProduct_IsReadAsInstructionsThatAreKnown()
    {
        foreach (var (halves, left, end) in AmxCode.All)
        {
            var code = new DecodedCode(AmxProduct.Generate(halves, left, end));
            var tiles = code.Instructions.Count(one => one.Mnemonic == Mnemonic.Tdpbf16ps);
            Assert.Equal(2 * 2 * halves, tiles); // a step, and the last one
            Assert.Equal(Mnemonic.Ret, code.Instructions[^1].Mnemonic);
            Assert.DoesNotContain(code.Instructions, one => one.IsInvalid);
        }
    }

    [Fact]
    public void Tiles_BeyondTheEighth_AreRefused()
    {
        var code = new Assembler();
        Assert.Throws<ArgumentOutOfRangeException>(() => code.ZeroTile(8));
        Assert.Throws<ArgumentOutOfRangeException>(() => code.MultiplyTiles(0, 1, 9));
        Assert.Throws<ArgumentException>(() => code.LoadTile(0, new Address(Register.Rax)));
    }

    private static readonly Dictionary<string, Action<Assembler>> Instructions = new()
    {
        ["mov rax, [rdi+8]"] = c => c.Load(Register.Rax, new Address(Register.Rdi, 8)),
        ["mov [rdi+0x20], rax"] = c => c.Store(new Address(Register.Rdi, 32), Register.Rax),
        ["mov [rdi+0x90], r11"] = c => c.Store(new Address(Register.Rdi, 0x90), Register.R11),
        ["mov r10, 0x40"] = c => c.Set(Register.R10, 64),
        ["lea r8, [rax]"] = c => c.LoadAddress(Register.R8, new Address(Register.Rax)),
        ["lea r11, [r10+r10*2]"] = c => c.LoadAddress(Register.R11, new Address(Register.R10, 0, Register.R10, 2)),
        ["add r8, [rdi+0x58]"] = c => c.Add(Register.R8, new Address(Register.Rdi, 0x58)),
        ["add rdx, 0x800"] = c => c.Add(Register.Rdx, 0x800),
        ["sub rcx, 0x10"] = c => c.Subtract(Register.Rcx, 16),
        ["cmp r9, 1"] = c => c.Compare(Register.R9, 1),
        ["xor rdx, [rsi+0x30]"] = c => c.Differ(Register.Rdx, new Address(Register.Rsi, 0x30)),
        ["or rcx, r9"] = c => c.Or(Register.Rcx, Register.R9),
        ["or r9, rcx"] = c => c.Or(Register.R9, Register.Rcx),
        ["xor ecx, ecx; xgetbv; shl rdx, 0x20; or rax, rdx"] = c => c.ReadSavedStates(),
        ["vzeroupper; ret"] = c => c.Return(),
        ["vpxord zmm17, zmm17, zmm17"] = c => c.Zero(17),
        ["vmovups zmm9, [r8+0x40]"] = c => c.LoadVector(9, new Address(Register.R8, 0x40)),
        ["vmovups zmm31, [rax+0x4000]"] = c => c.LoadVector(31, new Address(Register.Rax, 0x4000)),
        ["vmovups [r11+rcx*4], zmm24"] = c => c.StoreVector(new Address(Register.R11, 0, Register.Rcx, 4), 24),
        ["vmovups zmm3{k1}{z}, [rax]"] = c => c.LoadMasked(3, new Address(Register.Rax)),
        ["vmovups zmm20{k1}{z}, [r9+0x80]"] = c => c.LoadMasked(20, new Address(Register.R9, 0x80)),
        ["kmovw k1, [rdi+0x70]"] = c => c.LoadMask(new Address(Register.Rdi, 0x70)),
        ["kmovw k1, [r10]"] = c => c.LoadMask(new Address(Register.R10)),
        ["vbroadcastss zmm26, [rax+r10+4]"] = c => c.Broadcast(26, new Address(Register.Rax, 4, Register.R10)),
        ["vpmovzxwd zmm5, [rsi+0x20]"] = c => c.LoadWords(5, new Address(Register.Rsi, 32)),
        ["vpslld zmm5, zmm21, 0x10"] = c => c.ShiftUp(5, 21, 16),
        ["vaddps zmm1, zmm2, zmm25"] = c => c.AddFloats(1, 2, 25),
        ["vaddps zmm1, zmm2, [rcx+0x40]"] = c => c.AddFloats(1, 2, new Address(Register.Rcx, 0x40)),
        ["vsubps zmm1, zmm18, zmm3"] = c => c.SubtractFloats(1, 18, 3),
        ["vmulps zmm1, zmm2, [rdx]"] = c => c.Multiply(1, 2, new Address(Register.Rdx)),
        ["vmulps zmm30, zmm2, zmm3"] = c => c.Multiply(30, 2, 3),
        ["vminps zmm24, zmm31, zmm4"] = c => c.Least(24, 31, 4),
        ["vmaxps zmm24, zmm30, zmm4"] = c => c.Greatest(24, 30, 4),
        ["vfmadd213ps zmm26, zmm25, [rdx+4]{1to16}"] = c => c.MultiplyAddOne(26, 25, new Address(Register.Rdx, 4)),
        ["vfmadd231ps zmm3, zmm26, zmm24"] = c => c.MultiplyAdd(3, 26, 24),
        ["vcvtne2ps2bf16 zmm24, zmm1, zmm0"] = c => c.Round(24, low: 0, high: 1),
        ["vdpbf16ps zmm3, zmm26, zmm24"] = c => c.DotPairs(3, 26, 24),
        ["vpunpckldq zmm16, zmm0, zmm17"] = c => c.Interleave(16, 0, 17, upper: false),
        ["vpunpckhdq zmm16, zmm0, zmm1"] = c => c.Interleave(16, 0, 1, upper: true),
        ["vpunpcklqdq zmm0, zmm16, zmm18"] = c => c.InterleaveHalves(0, 16, 18, upper: false),
        ["vpunpckhqdq zmm8, zmm7, zmm1"] = c => c.InterleaveHalves(8, 7, 1, upper: true),
        ["vshufi32x4 zmm0, zmm24, zmm8, 0x88"] = c => c.Quarters(0, 24, 8, odd: false),
        ["vshufi32x4 zmm9, zmm1, zmm2, 0xDD"] = c => c.Quarters(9, 1, 2, odd: true),
    };

    /// <summary>The known ones, as our assembler's methods.</summary>
    private static void Write(Assembler code, string text)
    {
        switch (text)
        {
            case "ldtilecfg [rdi]": code.LoadTileShapes(new Address(Register.Rdi)); break;
            case "ldtilecfg [r12+0x40]": code.LoadTileShapes(new Address(R12, 0x40)); break;
            case "sttilecfg [rsi]": code.StoreTileShapes(new Address(Register.Rsi)); break;
            case "tilerelease": code.ReleaseTiles(); break;
            case "tilezero tmm0": code.ZeroTile(0); break;
            case "tilezero tmm5": code.ZeroTile(5); break;
            case "tileloadd tmm0, [rsi+rdx]": code.LoadTile(0, new Address(Register.Rsi, 0, Register.Rdx)); break;
            case "tileloadd tmm6, [r8+r9]": code.LoadTile(6, new Address(Register.R8, 0, Register.R9)); break;
            case "tileloadd tmm1, [rsi+rcx+0x400]": code.LoadTile(1, new Address(Register.Rsi, 0x400, Register.Rcx)); break;
            case "tileloaddt1 tmm4, [rsi+rdx]": code.LoadTileOnce(4, new Address(Register.Rsi, 0, Register.Rdx)); break;
            case "tilestored [rdi+rdx], tmm3": code.StoreTile(new Address(Register.Rdi, 0, Register.Rdx), 3); break;
            case "tilestored [r13+r14*4], tmm7": code.StoreTile(new Address(R13, 0, R14, 4), 7); break;
            case "tdpbf16ps tmm0, tmm1, tmm2": code.MultiplyTiles(0, 1, 2); break;
            case "tdpbf16ps tmm3, tmm6, tmm7": code.MultiplyTiles(3, 6, 7); break;
            case "tdpbf16ps tmm6, tmm5, tmm4": code.MultiplyTiles(6, 5, 4); break;
            default: throw new ArgumentException(text, nameof(text));
        }
    }

    private static string Text(in Instruction one)
    {
        var formatter = new IntelFormatter();
        var options = formatter.Options;
        (options.HexPrefix, options.HexSuffix, options.SpaceAfterOperandSeparator) = ("0x", "", true);
        (options.MemorySizeOptions, options.ShowZeroDisplacements, options.UppercaseHex) = (MemorySizeOptions.Never, false, true);
        (options.SmallHexNumbersInDecimal, options.AlwaysShowScale) = (true, false);
        var output = new StringOutput();
        formatter.Format(one, output);
        return output.ToString();
    }
}
