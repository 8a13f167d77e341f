using Iced.Intel;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>Machine code as a decoder that is not ours reads it, made ready to be executed by <see cref="EmulatedProcessor"/>.</summary>
internal sealed class DecodedCode
{
    /// <exception cref="NotSupportedException">An instruction that the emulator does not know.</exception>
    public DecodedCode(byte[] code)
    {
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code));
        while (decoder.IP < (ulong)code.Length) Instructions.Add(decoder.Decode());
        var places = Instructions.Select((one, i) => (one.IP, i)).ToDictionary(p => p.IP, p => p.i);
        Steps =
        [
            .. Instructions.Select(one => IntegerSteps.Of(one, places) ?? VectorSteps.Of(one) ?? TileSteps.Of(one)
                ?? throw new NotSupportedException($"The emulator does not know \"{one}\".")),
        ];
    }

    /// <summary>As read.</summary>
    public List<Instruction> Instructions { get; } = [];

    /// <summary>What each does.</summary>
    public Action<EmulatedProcessor>[] Steps { get; }
}

/// <summary>Executes what our assembler writes, on any machine: the instructions of x86-64, AVX-512 and AMX that our kernels use.</summary>
/// <remarks>From the operations in the Intel SDM, volume 2. Registers hold what no code should rely on before it begins.</remarks>
internal sealed unsafe class EmulatedProcessor(CheckedMemory memory)
{
    private const ulong Garbage = 0xDEAD_BEEF_DEAD_0000;
    private const int MostSteps = 1_000_000;
    private static readonly int[] Preserved = [3, 4, 5, 12, 13, 14, 15]; // RBX, RSP, RBP, R12 to R15

    /// <summary>What it may touch.</summary>
    public CheckedMemory Memory => memory;

    /// <summary>General registers by their numbers in encodings.</summary>
    public ulong[] Registers { get; } = new ulong[16];

    /// <summary>Vector registers, 16 lanes each.</summary>
    public uint[] Vectors { get; } = new uint[32 * 16];

    /// <summary>Mask registers.</summary>
    public ulong[] Masks { get; } = new ulong[8];

    /// <summary>The tiles; they stay as they are from run to run.</summary>
    public TileState Tiles { get; } = new();

    /// <summary>The last arithmetic result, exact: what conditional jumps look at.</summary>
    public Int128 Result { get; set; }

    /// <summary>The next step; negative once the code has returned.</summary>
    public int Next { get; set; }

    /// <summary>Calls a function with one argument, by System V's convention.</summary>
    public ulong Call(DecodedCode code, void* argument)
    {
        for (var i = 0; i < 16; i++) Registers[i] = Garbage + (ulong)i;
        Registers[7] = (ulong)argument;
        Array.Fill(Vectors, 0xFFFFFFFF);
        Array.Fill(Masks, ulong.MaxValue);
        Next = 0;
        for (var steps = 0; Next >= 0; steps++)
        {
            if (steps > MostSteps) throw new TimeoutException($"The code has not come to an end after {MostSteps} instructions.");
            code.Steps[Next++](this);
        }

        foreach (var register in Preserved) Assert.Equal(Garbage + (ulong)register, Registers[register]);
        return Registers[0];
    }

    /// <summary>16 lanes as numbers.</summary>
    public Span<float> Floats(int vector) => System.Runtime.InteropServices.MemoryMarshal.Cast<uint, float>(Lanes(vector));

    /// <summary>16 lanes as bits.</summary>
    public Span<uint> Lanes(int vector) => Vectors.AsSpan(vector * 16, 16);
}

/// <summary>Where an instruction's operand in memory is.</summary>
internal readonly struct Place(in Instruction one)
{
    private readonly int _base = one.MemoryBase.GetNumber();
    private readonly int _index = one.MemoryIndex == Register.None ? -1 : one.MemoryIndex.GetNumber();
    private readonly int _scale = one.MemoryIndexScale;
    private readonly ulong _displacement = one.MemoryDisplacement64;

    /// <summary>The address; the index register times its scale left out where it is a tile's stride.</summary>
    public ulong Address(EmulatedProcessor p, bool withIndex = true) =>
        p.Registers[_base] + _displacement + (withIndex ? Stride(p) : 0);

    /// <summary>The index register times its scale.</summary>
    public ulong Stride(EmulatedProcessor p) => _index < 0 ? 0 : p.Registers[_index] * (ulong)_scale;
}
