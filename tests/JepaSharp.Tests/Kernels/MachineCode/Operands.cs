using Iced.Intel;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>The target and the two sources of an instruction on vectors; the second source may be in memory, whole or one number for all
/// lanes.</summary>
internal sealed unsafe class Operands
{
    private readonly int _target, _first, _second;
    private readonly bool _isBroadcast;
    private readonly Place _place;
    private readonly uint[] _a = new uint[16], _b = new uint[16];
    private EmulatedProcessor? _processor;

    public Operands(in Instruction one)
    {
        (_target, _first) = (one.Op0Register.GetNumber(), one.Op1Register.GetNumber());
        _second = one.Op2Kind == OpKind.Register ? one.Op2Register.GetNumber() : -1;
        (_isBroadcast, _place) = (one.IsBroadcast, new Place(one));
        Immediate = one.Mnemonic == Mnemonic.Vshufi32x4 ? one.Immediate8 : 0;
    }

    public delegate uint Chosen(uint[] a, uint[] b, int lane);

    /// <summary>The number within the instruction.</summary>
    public int Immediate { get; }

    /// <summary>Reads the sources.</summary>
    public Operands At(EmulatedProcessor processor)
    {
        _processor = processor;
        processor.Lanes(_first).CopyTo(_a);
        if (_second >= 0)
        {
            processor.Lanes(_second).CopyTo(_b);
        }
        else
        {
            var at = (uint*)processor.Memory.Reach(_place.Address(processor), _isBroadcast ? 4 : 64, write: false);
            if (_isBroadcast) _b.AsSpan().Fill(*at);
            else new Span<uint>(at, 16).CopyTo(_b);
        }

        return this;
    }

    /// <summary>Lane by lane, as numbers, from the target's own and the sources'.</summary>
    public void Numbers(Func<float, float, float, float> one)
    {
        var to = _processor!.Floats(_target);
        for (var i = 0; i < 16; i++) to[i] = one(to[i], BitConverter.UInt32BitsToSingle(_a[i]), BitConverter.UInt32BitsToSingle(_b[i]));
    }

    /// <summary>Lane by lane, as bits.</summary>
    public void Bits(Func<uint, uint, uint, uint> one)
    {
        var to = _processor!.Lanes(_target);
        for (var i = 0; i < 16; i++) to[i] = one(to[i], _a[i], _b[i]);
    }

    /// <summary>Lane by lane, from all of the sources'.</summary>
    public void Rearrange(Chosen one)
    {
        var to = _processor!.Lanes(_target);
        for (var i = 0; i < 16; i++) to[i] = one(_a, _b, i);
    }
}

/// <summary>bfloat16 as the processor counts with it: numbers too small to be normal are zero, before and after; to nearest, ties to even.</summary>
internal static class BrainNumbers
{
    private const uint Sign = 0x80000000, Exponent = 0x7F800000;

    /// <summary>The words' lower half as a number.</summary>
    public static float Low(uint word) => Flushed(word << 16);

    /// <summary>The words' upper half as a number.</summary>
    public static float High(uint word) => Flushed(word & 0xFFFF0000);

    /// <summary>sum + both products, the upper halves' first (VDPBF16PS).</summary>
    public static uint Dot(uint sum, uint x, uint y)
    {
        var upper = Flushed(MathF.FusedMultiplyAdd(High(x), High(y), Flushed(sum)));
        return BitConverter.SingleToUInt32Bits(Flushed(MathF.FusedMultiplyAdd(Low(x), Low(y), upper)));
    }

    /// <summary>The nearest.</summary>
    public static ushort Round(uint bits)
    {
        if ((bits & Exponent) == 0) return (ushort)((bits & Sign) >> 16);
        if ((bits & Exponent) == Exponent) return (ushort)((bits >> 16) | ((bits & ~(Sign | Exponent)) != 0 ? 0x40u : 0));
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    public static float Flushed(float value) => Flushed(BitConverter.SingleToUInt32Bits(value));

    private static float Flushed(uint bits) => BitConverter.UInt32BitsToSingle((bits & Exponent) == 0 ? bits & Sign : bits);
}
