using System.Runtime.CompilerServices;

namespace JepaSharp.Kernels.MachineCode;

/// <summary>How a function with one pointer as its argument is called, and which registers it leaves as they were.</summary>
/// <remarks>Sources: System V ABI, AMD64 supplement, section 3.2; Microsoft, "x64 calling convention" and "x64 ABI conventions".</remarks>
internal enum CallConvention
{
    /// <summary>Linux and macOS: the argument comes in RDI; of what <see cref="Assembler"/> writes, nothing is the caller's.</summary>
    SystemV,

    /// <summary>64-bit Windows: the argument comes in RCX; RDI, RSI and the lower 128 bits of vector registers 6 to 15 are the caller's.</summary>
    Windows,
}

/// <summary>Room for the registers that a function on Windows gives back as it found them: RDI, RSI, and 128 bits of each of ten vectors.</summary>
[InlineArray(22)]
internal struct SavedRegisters
{
    private ulong _first;
}

/// <summary>Makes functions of code that reads its argument in RDI.</summary>
/// <remarks>
/// On Windows the caller's registers are kept in memory that the caller gives, not on the stack: the code never moves RSP and calls nothing, so that
/// a walk through the stack, which takes a function without unwind data for a leaf, finds the return address where RSP points, at every instruction.
/// Only the contents of RDI, RSI and vectors 6 to 15 would be wrong in the frames above, where a debugger stopped in the middle. Nobody else looks:
/// the code throws nothing, a fault in it ends the process, and .NET's collector waits until a thread has left such a call.
/// </remarks>
internal static class CallForm
{
    private const int FirstKept = 6, LastKept = 15;

    /// <summary>The convention of the system that this process runs on.</summary>
    public static CallConvention Native { get; } = OperatingSystem.IsWindows() ? CallConvention.Windows : CallConvention.SystemV;

    /// <summary>The whole function.</summary>
    /// <param name="body">What it does, up to where it would return. RDI stays as it is.</param>
    /// <param name="convention">How it will be called.</param>
    /// <param name="saved">Where in what the argument points to there is a pointer to <see cref="SavedRegisters"/>, in bytes.</param>
    /// <exception cref="InvalidOperationException">The body writes RDI.</exception>
    public static byte[] Finish(Assembler body, CallConvention convention, int saved)
    {
        if (body.Writes(Register.Rdi)) throw new InvalidOperationException("The code writes RDI, which holds its argument to the end.");
        var code = new Assembler();
        if (convention == CallConvention.Windows) Enter(code, body, saved);
        code.Append(body.ToArray());
        if (convention == CallConvention.Windows) Leave(code, body, saved);
        code.Return();
        return code.ToArray();
    }

    private static void Enter(Assembler code, Assembler body, int saved)
    {
        code.Load(Register.Rax, new Address(Register.Rcx, saved));
        code.Store(new Address(Register.Rax, 0), Register.Rdi);
        if (body.Writes(Register.Rsi)) code.Store(new Address(Register.Rax, 8), Register.Rsi);
        foreach (var vector in Kept(body)) code.StoreLow(PlaceOf(vector), vector);
        code.LoadAddress(Register.Rdi, new Address(Register.Rcx));
    }

    private static void Leave(Assembler code, Assembler body, int saved)
    {
        code.Load(Register.Rax, new Address(Register.Rdi, saved));
        foreach (var vector in Kept(body)) code.LoadLow(vector, PlaceOf(vector));
        if (body.Writes(Register.Rsi)) code.Load(Register.Rsi, new Address(Register.Rax, 8));
        code.Load(Register.Rdi, new Address(Register.Rax, 0));
    }

    private static Address PlaceOf(int vector) => new(Register.Rax, 16 + (16 * (vector - FirstKept)));

    private static IEnumerable<int> Kept(Assembler body) => Enumerable.Range(FirstKept, LastKept - FirstKept + 1).Where(body.Writes);
}
