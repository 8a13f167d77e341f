using System.Runtime.CompilerServices;

namespace JepaSharp.Kernels.MachineCode;

/// <summary>What the routine for a layer norm's row is given, in the order in which the machine code reads it.</summary>
internal unsafe struct NormArguments
{
    /// <summary>float32 [count].</summary>
    public float* Row;

    /// <summary>float32 [count].</summary>
    public float* Scale;

    /// <summary>float32 [count].</summary>
    public float* Shift;

    /// <summary>bfloat16 [count].</summary>
    public byte* Target;

    /// <summary>Numbers: a multiple of 32.</summary>
    public nint Count;

    /// <summary>Of the row.</summary>
    public float Mean;

    /// <summary>1 over the row's deviation.</summary>
    public float Inverse;

    /// <summary>Where the caller's registers are kept meanwhile; looked at on Windows alone.</summary>
    public SavedRegisters* Saved;
}

/// <summary>What the routine that rounds is given.</summary>
internal unsafe struct RoundArguments
{
    /// <summary>float32 [count].</summary>
    public float* From;

    /// <summary>bfloat16 [count].</summary>
    public byte* To;

    /// <summary>Numbers: a multiple of 32.</summary>
    public nint Count;

    /// <summary>Where the caller's registers are kept meanwhile; looked at on Windows alone.</summary>
    public SavedRegisters* Saved;
}

/// <summary>Machine code that brings rows of float32 into bfloat16: the processor rounds two vectors in one instruction, for which .NET has no
/// intrinsic.</summary>
internal static unsafe class RowRoutines
{
    private static readonly Lazy<(nint Round, nint Norm)> Placed = new(Place);

    /// <summary>To the nearest, ties to even.</summary>
    [SkipLocalsInit]
    public static void Round(RoundArguments* arguments)
    {
        SavedRegisters saved;
        arguments->Saved = &saved;
        ((delegate* unmanaged[SuppressGCTransition]<RoundArguments*, void>)Placed.Value.Round)(arguments);
    }

    /// <summary>(row - mean) · inverse · scale + shift, rounded.</summary>
    [SkipLocalsInit]
    public static void Norm(NormArguments* arguments)
    {
        SavedRegisters saved;
        arguments->Saved = &saved;
        ((delegate* unmanaged[SuppressGCTransition]<NormArguments*, void>)Placed.Value.Norm)(arguments);
    }

    private static (nint Round, nint Norm) Place()
    {
        byte[] round = Rounding(CallForm.Native), norm = Norming(CallForm.Native);
        var start = (round.Length + 63) & ~63;
        var code = new byte[start + norm.Length];
        round.CopyTo(code, 0);
        norm.CopyTo(code, start);
        var placed = MappedMemory.PlaceCode(code);
        return (placed, placed + start);
    }

    /// <summary>The code behind <see cref="Round"/>.</summary>
    internal static byte[] Rounding(CallConvention convention)
    {
        var code = new Assembler();
        code.Load(Register.Rax, new Address(Register.Rdi, 0));
        code.Load(Register.R8, new Address(Register.Rdi, 8));
        code.Load(Register.Rcx, new Address(Register.Rdi, 16));
        var loop = code.Here;
        for (var half = 0; half < 2; half++) code.LoadVector(half, new Address(Register.Rax, 64 * half));
        End(code, loop, Register.Rax);
        return CallForm.Finish(code, convention, saved: 24);
    }

    /// <summary>The code behind <see cref="Norm"/>.</summary>
    internal static byte[] Norming(CallConvention convention)
    {
        const int Mean = 30, Inverse = 31;
        var code = new Assembler();
        code.Load(Register.Rax, new Address(Register.Rdi, 0));
        code.Load(Register.Rsi, new Address(Register.Rdi, 8));
        code.Load(Register.Rdx, new Address(Register.Rdi, 16));
        code.Load(Register.R8, new Address(Register.Rdi, 24));
        code.Load(Register.Rcx, new Address(Register.Rdi, 32));
        code.Broadcast(Mean, new Address(Register.Rdi, 40));
        code.Broadcast(Inverse, new Address(Register.Rdi, 44));
        var loop = code.Here;
        for (var half = 0; half < 2; half++)
        {
            code.LoadVector(half, new Address(Register.Rax, 64 * half));
            code.SubtractFloats(half, half, Mean);
            code.Multiply(half, half, Inverse);
            code.Multiply(half, half, new Address(Register.Rsi, 64 * half));
            code.AddFloats(half, half, new Address(Register.Rdx, 64 * half));
        }

        End(code, loop, Register.Rax, Register.Rsi, Register.Rdx);
        return CallForm.Finish(code, convention, saved: 48);
    }

    private static void End(Assembler code, int loop, params ReadOnlySpan<Register> sources)
    {
        code.Round(2, 0, 1);
        code.StoreVector(new Address(Register.R8), 2);
        foreach (var source in sources) code.Add(source, 32 * sizeof(float));
        code.Add(Register.R8, 32 * sizeof(ushort));
        code.Subtract(Register.Rcx, 32);
        code.JumpBackIfGreater(loop);
    }
}
