using System.Runtime.InteropServices;
using JepaSharp.Kernels;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Tests.Kernels;

/// <summary>Calls a function as 64-bit Windows does, on Linux or macOS, and says which registers of the caller's it changed.</summary>
/// <remarks>
/// A piece of machine code puts a pattern of its own into every register that the callee has to preserve, the argument into RCX, leaves 32 bytes
/// above the return address, and keeps what the registers hold afterwards. RDI holds a pattern too, so that code which still looks there for its
/// argument
/// ends the process.
/// </remarks>
internal static unsafe class WindowsCall
{
    private const int Vectors = 10, FirstVector = 6;

    // Numbers of the instruction set, of which the library names only those that it uses.
    private const Register Rbx = (Register)3, Rsp = (Register)4, Rbp = (Register)5;
    private static readonly (string Name, Register Register)[] General =
    [
        ("RBX", Rbx), ("RBP", Rbp), ("RDI", Register.Rdi), ("RSI", Register.Rsi),
        ("R12", (Register)12), ("R13", (Register)13), ("R14", (Register)14), ("R15", (Register)15),
    ];

    private static readonly Lazy<nint> Trampoline = new(() => MappedMemory.PlaceCode(Code()));

    /// <summary>Skips a test where functions are not called by the System V convention, which the way in has.</summary>
    public static void NeedsSystemV() => Assert.SkipUnless(
        RuntimeInformation.ProcessArchitecture == Architecture.X64 && !OperatingSystem.IsWindows() && System.Runtime.Intrinsics.X86.Avx.IsSupported,
        "Calls in Windows's convention are made by machine code for x86-64 with AVX on Linux and macOS.");

    /// <summary>Calls it.</summary>
    /// <returns>Names of the registers that do not hold what they did.</returns>
    public static List<string> Make(nint function, void* argument)
    {
        var count = General.Length + (2 * Vectors);
        ulong* before = stackalloc ulong[count], after = stackalloc ulong[count];
        for (var i = 0; i < count; i++) (before[i], after[i]) = (0x5EED_0000_0000_0001ul * (ulong)(i + 3), 0);
        var call = new Call { Function = function, Argument = argument, Before = before, After = after };
        ((delegate* unmanaged<Call*, void>)Trampoline.Value)(&call);

        var changed = new List<string>();
        for (var i = 0; i < count; i++)
        {
            if (before[i] == after[i]) continue;
            var vector = FirstVector + ((i - General.Length) / 2);
            changed.Add(i < General.Length ? General[i].Name : $"XMM{vector}");
        }

        return [.. changed.Distinct()];
    }

    private static byte[] Code()
    {
        var code = new Assembler(32);
        code.Append([0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x57]); // push rbx, rbp, r12 to r15, rdi
        code.Subtract(Rsp, 32);
        code.Load(Register.R11, new Address(Register.Rdi, 0));
        code.Load(Register.Rcx, new Address(Register.Rdi, 8));
        code.Load(Register.Rax, new Address(Register.Rdi, 16));
        for (var v = 0; v < Vectors; v++) code.LoadLow(FirstVector + v, VectorPlace(v));
        for (var g = 0; g < General.Length; g++) code.Load(General[g].Register, new Address(Register.Rax, 8 * g));
        code.Append([0x41, 0xFF, 0xD3]); // call r11
        code.Add(Rsp, 32);
        code.Append([0x5A]); // pop rdx: what came in RDI
        code.Load(Register.Rax, new Address(Register.Rdx, 24));
        for (var g = 0; g < General.Length; g++) code.Store(new Address(Register.Rax, 8 * g), General[g].Register);
        for (var v = 0; v < Vectors; v++) code.StoreLow(VectorPlace(v), FirstVector + v);
        code.Append([0x41, 0x5F, 0x41, 0x5E, 0x41, 0x5D, 0x41, 0x5C, 0x5D, 0x5B]); // pop them, the last first
        code.Return();
        return code.ToArray();
    }

    private static Address VectorPlace(int vector) => new(Register.Rax, (8 * General.Length) + (16 * vector));

    private struct Call
    {
        public nint Function;
        public void* Argument;
        public ulong* Before;
        public ulong* After;
    }
}
