using Iced.Intel;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>What the emulator does for instructions on vectors of 512 bits, whole or with a zeroing mask on loads.</summary>
internal static unsafe class VectorSteps
{
    /// <summary>The step; null where the instruction is of another kind.</summary>
    public static Action<EmulatedProcessor>? Of(Instruction one)
    {
        if (one.Mnemonic == Mnemonic.Vzeroupper) return ZeroUpper;
        if (one.Code == Code.VEX_Kmovw_kr_km16 && one.Op1Kind == OpKind.Memory)
        {
            var (mask, from) = (one.Op0Register.GetNumber(), new Place(one));
            return p => p.Masks[mask] = *(ushort*)p.Memory.Reach(from.Address(p), 2, write: false);
        }

        if (one.Encoding != EncodingKind.EVEX) return null;
        if (one.OpMask != Register.None && one.Mnemonic != Mnemonic.Vmovups) return null;
        return one.Mnemonic == Mnemonic.Vmovups ? Move(one) : OfOne(one) ?? OfTwo(one);
    }

    private static Action<EmulatedProcessor> Move(in Instruction one)
    {
        var place = new Place(one);
        if (one.Op0Kind == OpKind.Memory)
        {
            Assert.Equal(Register.None, one.OpMask);
            var from = one.Op1Register.GetNumber();
            return p => p.Lanes(from).CopyTo(new Span<uint>(p.Memory.Reach(place.Address(p), 64, write: true), 16));
        }

        var to = one.Op0Register.GetNumber();
        if (one.OpMask == Register.None) return p => new Span<uint>(p.Memory.Reach(place.Address(p), 64, write: false), 16).CopyTo(p.Lanes(to));
        Assert.True(one.ZeroingMasking);
        var mask = one.OpMask.GetNumber();
        return p =>
        {
            for (var i = 0; i < 16; i++)
            {
                var isWanted = (p.Masks[mask] >> i & 1) != 0;
                p.Lanes(to)[i] = isWanted ? *(uint*)p.Memory.Reach(place.Address(p) + (4 * (ulong)i), 4, write: false) : 0;
            }
        };
    }

    /// <summary>One source, in memory or, for a shift, a register.</summary>
    private static Action<EmulatedProcessor>? OfOne(in Instruction one)
    {
        var (to, place) = (one.Op0Register.GetNumber(), new Place(one));
        switch (one.Mnemonic)
        {
            case Mnemonic.Vbroadcastss: return p => p.Lanes(to).Fill(*(uint*)p.Memory.Reach(place.Address(p), 4, write: false));
            case Mnemonic.Vpmovzxwd:
                return p =>
                {
                    var words = (ushort*)p.Memory.Reach(place.Address(p), 32, write: false);
                    for (var i = 0; i < 16; i++) p.Lanes(to)[i] = words[i];
                };
            case Mnemonic.Vpslld:
                var (from, bits) = (one.Op1Register.GetNumber(), one.Immediate8);
                return p =>
                {
                    for (var i = 0; i < 16; i++) p.Lanes(to)[i] = p.Lanes(from)[i] << bits;
                };
            default: return null;
        }
    }

    private static Action<EmulatedProcessor>? OfTwo(in Instruction one)
    {
        Action<Operands>? act = one.Mnemonic switch
        {
            Mnemonic.Vpxord => o => o.Bits((_, x, y) => x ^ y),
            Mnemonic.Vaddps => o => o.Numbers((_, x, y) => x + y),
            Mnemonic.Vsubps => o => o.Numbers((_, x, y) => x - y),
            Mnemonic.Vmulps => o => o.Numbers((_, x, y) => x * y),
            Mnemonic.Vminps => o => o.Numbers((_, x, y) => x < y ? x : y),
            Mnemonic.Vmaxps => o => o.Numbers((_, x, y) => x > y ? x : y),
            Mnemonic.Vfmadd213ps => o => o.Numbers((z, x, y) => MathF.FusedMultiplyAdd(z, x, y)),
            Mnemonic.Vfmadd231ps => o => o.Numbers((z, x, y) => MathF.FusedMultiplyAdd(x, y, z)),
            Mnemonic.Vdpbf16ps => o => o.Bits(BrainNumbers.Dot),
            Mnemonic.Vcvtne2ps2bf16 => Round,
            Mnemonic.Vpunpckldq => o => o.Rearrange((a, b, i) => (i % 2 == 0 ? a : b)[(i & ~3) + (i % 4 / 2)]),
            Mnemonic.Vpunpckhdq => o => o.Rearrange((a, b, i) => (i % 2 == 0 ? a : b)[(i & ~3) + 2 + (i % 4 / 2)]),
            Mnemonic.Vpunpcklqdq => o => o.Rearrange((a, b, i) => (i % 4 < 2 ? a : b)[(i & ~3) + (i % 2)]),
            Mnemonic.Vpunpckhqdq => o => o.Rearrange((a, b, i) => (i % 4 < 2 ? a : b)[(i & ~3) + 2 + (i % 2)]),
            Mnemonic.Vshufi32x4 => o => o.Rearrange((a, b, i) => (i < 8 ? a : b)[(4 * (o.Immediate >> (i / 4 * 2) & 3)) + (i % 4)]),
            _ => null,
        };
        if (act is null) return null;
        var operands = new Operands(one);
        return p => act(operands.At(p));
    }

    // 32 bfloat16: of the second source first.
    private static void Round(Operands o) => o.Rearrange((a, b, i) =>
    {
        var from = i < 8 ? b : a;
        return BrainNumbers.Round(from[2 * (i % 8)]) | ((uint)BrainNumbers.Round(from[(2 * (i % 8)) + 1]) << 16);
    });

    private static void ZeroUpper(EmulatedProcessor p)
    {
        for (var vector = 0; vector < 16; vector++) p.Lanes(vector)[4..].Clear();
    }
}
