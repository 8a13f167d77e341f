using Iced.Intel;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>What the emulator does for instructions on general registers.</summary>
internal static unsafe class IntegerSteps
{
    /// <summary>The step; null where the instruction is of another kind.</summary>
    public static Action<EmulatedProcessor>? Of(Instruction one, IReadOnlyDictionary<ulong, int> places)
    {
        if (one.IsJccShortOrNear) return Jump(one.ConditionCode, places[one.NearBranchTarget]);
        var (to, place) = (one.Op0Register.GetNumber(), new Place(one));
        var (value, from) = ((long)one.Immediate32to64, one.Op1Kind == OpKind.Register ? one.Op1Register.GetNumber() : -1);
        switch (one.Code)
        {
            case Code.Mov_r64_rm64 when from < 0: return p => p.Registers[to] = Read(p, place);
            case Code.Mov_rm64_r64 when from >= 0 && one.Op0Kind == OpKind.Memory:
                return p => *(ulong*)p.Memory.Reach(place.Address(p), 8, write: true) = p.Registers[from];
            case Code.Mov_rm64_imm32: return p => p.Registers[to] = (ulong)value;
            case Code.Lea_r64_m: return p => p.Registers[to] = place.Address(p);
            case Code.Add_rm64_imm32: return p => Keep(p, to, (Int128)(long)p.Registers[to] + value);
            case Code.Sub_rm64_imm32: return p => Keep(p, to, (Int128)(long)p.Registers[to] - value);
            case Code.Add_r64_rm64 when from < 0: return p => Keep(p, to, (Int128)(long)p.Registers[to] + (long)Read(p, place));
            case Code.Xor_r64_rm64 when from < 0: return p => Keep(p, to, (long)(p.Registers[to] ^ Read(p, place)));
            case Code.Or_r64_rm64 when from >= 0: return p => Keep(p, to, (long)(p.Registers[to] | p.Registers[from]));
            case Code.Nopd: return _ => { };
            case Code.Retnq: return p => p.Next = -1;
            default: return null;
        }
    }

    private static Action<EmulatedProcessor> Jump(ConditionCode condition, int target) => condition switch
    {
        ConditionCode.e => p => p.Next = (long)p.Result == 0 ? target : p.Next,
        ConditionCode.l => p => p.Next = p.Result < 0 ? target : p.Next,
        ConditionCode.le => p => p.Next = p.Result <= 0 ? target : p.Next,
        ConditionCode.ge => p => p.Next = p.Result >= 0 ? target : p.Next,
        ConditionCode.g => p => p.Next = p.Result > 0 ? target : p.Next,
        _ => throw new NotSupportedException($"The emulator does not know jumps on \"{condition}\"."),
    };

    private static ulong Read(EmulatedProcessor p, Place place) => *(ulong*)p.Memory.Reach(place.Address(p), 8, write: false);

    private static void Keep(EmulatedProcessor p, int register, Int128 exact) => (p.Result, p.Registers[register]) = (exact, unchecked((ulong)exact));
}
