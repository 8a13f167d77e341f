namespace JepaSharp.Kernels.MachineCode;

/// <summary>General registers that a function may overwrite without saving, where arguments come in RDI (System V calling convention); on Windows all
/// but RSI and RDI (<see cref="CallConvention"/>).</summary>
internal enum Register
{
    Rax = 0,
    Rcx = 1,
    Rdx = 2,
    Rsi = 6,
    Rdi = 7,
    R8 = 8,
    R9 = 9,
    R10 = 10,
    R11 = 11,
}

/// <summary>Writes the few x86-64 instructions that a matrix product needs, with vectors of 512 bits (AVX-512) or of 256 (AVX2).</summary>
/// <remarks>
/// .NET has no intrinsic for the bfloat16 dot product (AVX512_BF16); written as bytes, it runs all the same. Which registers are written is kept,
/// since some of them belong to the caller.
/// </remarks>
/// <param name="vectorBytes">64 or 32.</param>
internal sealed partial class Assembler(int vectorBytes = 64) : InstructionEncoding(vectorBytes)
{
    private uint _vectors, _registers;

    /// <summary>The bytes so far.</summary>
    public byte[] ToArray() => [.. Code];

    /// <summary>Whether an instruction so far writes a vector register, 0 to 31.</summary>
    public bool Writes(int vector) => (_vectors >> vector & 1) != 0;

    /// <summary>Whether an instruction so far writes a general register.</summary>
    public bool Writes(Register register) => (_registers >> (int)register & 1) != 0;

    /// <summary>Code written elsewhere; what it writes does not count.</summary>
    public void Append(ReadOnlySpan<byte> code) => Code.AddRange(code);

    /// <summary>A place to jump back to.</summary>
    public int Here => Code.Count;

    /// <summary>target &lt;- 8 bytes at source.</summary>
    public void Load(Register target, Address source) => Integer(0x8B, Written(target), source);

    /// <summary>8 bytes at target &lt;- source.</summary>
    public void Store(Address target, Register source) => Integer(0x89, (int)source, target);

    /// <summary>target &lt;- the address itself.</summary>
    public void LoadAddress(Register target, Address source) => Integer(0x8D, Written(target), source);

    /// <summary>target += value.</summary>
    public void Add(Register target, int value) => Immediate(0, (Register)Written(target), value);

    /// <summary>target -= value, and compares it with zero on the way.</summary>
    public void Subtract(Register target, int value) => Immediate(5, (Register)Written(target), value);

    /// <summary>Compares register with value.</summary>
    public void Compare(Register register, int value) => Immediate(7, register, value);

    /// <summary>Goes back to <paramref name="target"/> where the last result was above or equal zero, compared as signed numbers.</summary>
    public void JumpBackIfNotLess(int target) => JumpBack(0x8D, target);

    /// <summary>Goes back to <paramref name="target"/> where the last result was above zero.</summary>
    public void JumpBackIfGreater(int target) => JumpBack(0x8F, target);

    /// <summary>Jumps ahead where the last comparison said less; <see cref="Land"/> says where to.</summary>
    public int JumpAheadIfLess() => JumpAhead(0x8C);

    /// <summary>Jumps ahead where the last comparison said less or equal.</summary>
    public int JumpAheadIfNotGreater() => JumpAhead(0x8E);

    /// <summary>The jump that <paramref name="jump"/> stands for ends here.</summary>
    public void Land(int jump)
    {
        var distance = Code.Count - jump;
        for (var i = 0; i < 4; i++) Code[jump - 4 + i] = (byte)(distance >> (8 * i));
    }

    /// <summary>Returns to the caller, upper vector halves cleared.</summary>
    public void Return() => Code.AddRange([0xC5, 0xF8, 0x77, 0xC3]);

    /// <summary>target &lt;- 0.</summary>
    public void Zero(int target) => Vector(0xEF, map: 1, prefix: 1, Written(target), target, target);

    /// <summary>target &lt;- a vector.</summary>
    public void LoadVector(int target, Address source) => Vector(0x10, map: 1, prefix: 0, Written(target), 0, source, tuple: 64);

    /// <summary>a vector at target &lt;- source.</summary>
    public void StoreVector(Address target, int source) => Vector(0x11, map: 1, prefix: 0, source, 0, target, tuple: 64);

    /// <summary>The lower 128 bits of target &lt;- 16 bytes; the upper become zero.</summary>
    public void LoadLow(int target, Address source) => Low(0x10, map: 1, prefix: 0, Written(target), source);

    /// <summary>16 bytes at target &lt;- the lower 128 bits of source.</summary>
    public void StoreLow(Address target, int source) => Low(0x11, map: 1, prefix: 0, source, target);

    /// <summary>Every 4-byte lane of target &lt;- the 4 bytes at source.</summary>
    public void Broadcast(int target, Address source) => Vector(0x18, map: 2, prefix: 1, Written(target), 0, source, tuple: 4);

    /// <summary>target &lt;- the 16 bfloat16 at source as float32: each becomes the lower half of its lane, to be shifted up.</summary>
    public void LoadWords(int target, Address source) => Vector(0x33, map: 2, prefix: 1, Written(target), 0, source, tuple: 32);

    /// <summary>Every 4-byte lane of target &lt;- source, shifted up by so many bits.</summary>
    public void ShiftUp(int target, int source, int bits)
    {
        Vector(0x72, map: 1, prefix: 1, 6, Written(target), source);
        Code.Add((byte)bits);
    }

    /// <summary>target &lt;- a + b, 16 floats.</summary>
    public void AddFloats(int target, int a, int b) => Vector(0x58, map: 1, prefix: 0, Written(target), a, b);

    /// <summary>target &lt;- a - b, 16 floats.</summary>
    public void SubtractFloats(int target, int a, int b) => Vector(0x5C, map: 1, prefix: 0, Written(target), a, b);

    /// <summary>target &lt;- a times the 16 floats at b.</summary>
    public void Multiply(int target, int a, Address b) => Vector(0x59, map: 1, prefix: 0, Written(target), a, b, tuple: 64);

    /// <summary>target &lt;- a b, 16 floats.</summary>
    public void Multiply(int target, int a, int b) => Vector(0x59, map: 1, prefix: 0, Written(target), a, b);

    /// <summary>target &lt;- the lesser of a and b, 16 floats; b where one of them is no number.</summary>
    public void Least(int target, int a, int b) => Vector(0x5D, map: 1, prefix: 0, Written(target), a, b);

    /// <summary>target &lt;- the greater of a and b, 16 floats; b where one of them is no number.</summary>
    public void Greatest(int target, int a, int b) => Vector(0x5F, map: 1, prefix: 0, Written(target), a, b);

    /// <summary>target &lt;- target a + the float at b, 16 floats.</summary>
    public void MultiplyAddOne(int target, int a, Address b) => Vector(0xA8, map: 2, prefix: 1, Written(target), a, b, tuple: 4, broadcast: true);

    /// <summary>target &lt;- 32 bfloat16, rounded to nearest, ties to even: of the 16 floats of low, then those of high (AVX512_BF16).</summary>
    public void Round(int target, int low, int high) => Vector(0x72, map: 2, prefix: 3, Written(target), high, low);

    /// <summary>target &lt;- a + the 16 floats at b.</summary>
    public void AddFloats(int target, int a, Address b) => Vector(0x58, map: 1, prefix: 0, Written(target), a, b, tuple: 64);

    /// <summary>target += a b, 16 floats.</summary>
    public void MultiplyAdd(int target, int a, int b) => Vector(0xB8, map: 2, prefix: 1, Written(target), a, b);

    /// <summary>target += a₀ b₀ + a₁ b₁ in each of 16 lanes that hold two bfloat16 each (AVX512_BF16).</summary>
    public void DotPairs(int target, int a, int b) => Vector(0x52, map: 2, prefix: 2, Written(target), a, b);

    private int Written(Register register)
    {
        _registers |= 1u << (int)register;
        return (int)register;
    }

    private int Written(int vector)
    {
        _vectors |= 1u << vector;
        return vector;
    }
}
