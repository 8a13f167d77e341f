namespace JepaSharp.Kernels.MachineCode;

/// <summary>General registers that a function may overwrite without saving, where arguments come in RDI (System V calling convention).</summary>
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

/// <summary>A place in memory: [base + index + displacement].</summary>
internal readonly record struct Address(Register Base, int Displacement = 0, Register? Index = null, int Scale = 1);

/// <summary>Writes the few x86-64 instructions that a matrix product needs, with vectors of 512 bits (AVX-512) or of 256 (AVX2).</summary>
/// <remarks>
/// .NET has no intrinsic for the bfloat16 dot product (AVX512_BF16); written as bytes, it runs all the same. Encodings: Intel SDM, volume 2,
/// sections 2.1 (ModR/M, SIB, REX), 2.3 (VEX) and 2.7 (EVEX).
/// </remarks>
/// <param name="vectorBytes">64 or 32.</param>
internal sealed partial class Assembler(int vectorBytes = 64)
{
    private readonly List<byte> _code = [];

    /// <summary>The bytes so far.</summary>
    public byte[] ToArray() => [.. _code];

    /// <summary>A place to jump back to.</summary>
    public int Here => _code.Count;

    /// <summary>target &lt;- 8 bytes at source.</summary>
    public void Load(Register target, Address source) => Integer(0x8B, (int)target, source);

    /// <summary>target &lt;- the address itself.</summary>
    public void LoadAddress(Register target, Address source) => Integer(0x8D, (int)target, source);

    /// <summary>target += value.</summary>
    public void Add(Register target, int value) => Immediate(0, target, value);

    /// <summary>target -= value, and compares it with zero on the way.</summary>
    public void Subtract(Register target, int value) => Immediate(5, target, value);

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
        var distance = _code.Count - jump;
        for (var i = 0; i < 4; i++) _code[jump - 4 + i] = (byte)(distance >> (8 * i));
    }

    /// <summary>Returns to the caller, upper vector halves cleared.</summary>
    public void Return() => _code.AddRange([0xC5, 0xF8, 0x77, 0xC3]);

    /// <summary>target &lt;- 0.</summary>
    public void Zero(int target) => Vector(0xEF, map: 1, prefix: 1, target, target, target);

    /// <summary>target &lt;- a vector.</summary>
    public void LoadVector(int target, Address source) => Vector(0x10, map: 1, prefix: 0, target, 0, source, tuple: 64);

    /// <summary>a vector at target &lt;- source.</summary>
    public void StoreVector(Address target, int source) => Vector(0x11, map: 1, prefix: 0, source, 0, target, tuple: 64);

    /// <summary>Every 4-byte lane of target &lt;- the 4 bytes at source.</summary>
    public void Broadcast(int target, Address source) => Vector(0x18, map: 2, prefix: 1, target, 0, source, tuple: 4);

    /// <summary>target &lt;- the 16 bfloat16 at source as float32: each becomes the lower half of its lane, to be shifted up.</summary>
    public void LoadWords(int target, Address source) => Vector(0x33, map: 2, prefix: 1, target, 0, source, tuple: 32);

    /// <summary>Every 4-byte lane of target &lt;- source, shifted up by so many bits.</summary>
    public void ShiftUp(int target, int source, int bits)
    {
        Vector(0x72, map: 1, prefix: 1, 6, target, source);
        _code.Add((byte)bits);
    }

    /// <summary>target &lt;- a + b, 16 floats.</summary>
    public void AddFloats(int target, int a, int b) => Vector(0x58, map: 1, prefix: 0, target, a, b);

    /// <summary>target &lt;- a - b, 16 floats.</summary>
    public void SubtractFloats(int target, int a, int b) => Vector(0x5C, map: 1, prefix: 0, target, a, b);

    /// <summary>target &lt;- a times the 16 floats at b.</summary>
    public void Multiply(int target, int a, Address b) => Vector(0x59, map: 1, prefix: 0, target, a, b, tuple: 64);

    /// <summary>target &lt;- a b, 16 floats.</summary>
    public void Multiply(int target, int a, int b) => Vector(0x59, map: 1, prefix: 0, target, a, b);

    /// <summary>target &lt;- the lesser of a and b, 16 floats; b where one of them is no number.</summary>
    public void Least(int target, int a, int b) => Vector(0x5D, map: 1, prefix: 0, target, a, b);

    /// <summary>target &lt;- the greater of a and b, 16 floats; b where one of them is no number.</summary>
    public void Greatest(int target, int a, int b) => Vector(0x5F, map: 1, prefix: 0, target, a, b);

    /// <summary>target &lt;- target a + the float at b, 16 floats.</summary>
    public void MultiplyAddOne(int target, int a, Address b) => Vector(0xA8, map: 2, prefix: 1, target, a, b, tuple: 4, broadcast: true);

    /// <summary>target &lt;- 32 bfloat16, rounded to nearest, ties to even: of the 16 floats of low, then those of high (AVX512_BF16).</summary>
    public void Round(int target, int low, int high) => Vector(0x72, map: 2, prefix: 3, target, high, low);

    /// <summary>target &lt;- a + the 16 floats at b.</summary>
    public void AddFloats(int target, int a, Address b) => Vector(0x58, map: 1, prefix: 0, target, a, b, tuple: 64);

    /// <summary>target += a b, 16 floats.</summary>
    public void MultiplyAdd(int target, int a, int b) => Vector(0xB8, map: 2, prefix: 1, target, a, b);

    /// <summary>target += a₀ b₀ + a₁ b₁ in each of 16 lanes that hold two bfloat16 each (AVX512_BF16).</summary>
    public void DotPairs(int target, int a, int b) => Vector(0x52, map: 2, prefix: 2, target, a, b);

    private void Integer(byte opcode, int register, Address memory)
    {
        var index = memory.Index is { } i ? (int)i : 0;
        _code.Add((byte)(0x48 | (register >> 3 << 2) | (index >> 3 << 1) | ((int)memory.Base >> 3)));
        _code.Add(opcode);
        Memory(register, memory, tuple: 1);
    }

    private void Immediate(int operation, Register register, int value)
    {
        _code.Add((byte)(0x48 | ((int)register >> 3)));
        _code.Add(0x81);
        _code.Add((byte)(0xC0 | (operation << 3) | ((int)register & 7)));
        Number(value);
    }

    private void JumpBack(byte condition, int target)
    {
        _code.AddRange([0x0F, condition]);
        Number(target - (_code.Count + 4));
    }

    private int JumpAhead(byte condition)
    {
        _code.AddRange([0x0F, condition]);
        Number(0);
        return _code.Count;
    }

    private void Vector(byte opcode, int map, int prefix, int target, int second, int third)
    {
        if (vectorBytes == 32) Vex(map, prefix, target, second, third >> 3, 0);
        else Evex(map, prefix, target, second, third >> 3, third >> 4);
        _code.Add(opcode);
        _code.Add((byte)(0xC0 | ((target & 7) << 3) | (third & 7)));
    }

    private void Vector(byte opcode, int map, int prefix, int target, int second, Address memory, int tuple, bool broadcast = false)
    {
        var (b, x) = ((int)memory.Base >> 3, memory.Index is { } i ? (int)i >> 3 : 0);
        if (vectorBytes == 32 && !broadcast) Vex(map, prefix, target, second, b, x);
        else Evex(map, prefix, target, second, b, x, broadcast);
        _code.Add(opcode);
        Memory(target, memory, vectorBytes == 32 ? 1 : tuple);
    }

    /// <summary>The three bytes before a VEX opcode, for 256 bits. Register numbers' upper bits are stored inverted.</summary>
    private void Vex(int map, int prefix, int target, int second, int b, int x)
    {
        static int Not(int bit) => ~bit & 1;
        _code.Add(0xC4);
        _code.Add((byte)((Not(target >> 3) << 7) | (Not(x) << 6) | (Not(b) << 5) | map));
        _code.Add((byte)(((~second & 15) << 3) | 4 | prefix));
    }

    /// <summary>The four bytes before an EVEX opcode, for 512 bits without mask. Register numbers' upper bits are stored inverted.</summary>
    private void Evex(int map, int prefix, int target, int second, int b, int x, bool broadcast = false)
    {
        static int Not(int bit) => ~bit & 1;
        _code.Add(0x62);
        _code.Add((byte)((Not(target >> 3) << 7) | (Not(x) << 6) | (Not(b) << 5) | (Not(target >> 4) << 4) | map));
        _code.Add((byte)(((~second & 15) << 3) | 4 | prefix));
        _code.Add((byte)(0x40 | (broadcast ? 0x10 : 0) | (Not(second >> 4) << 3)));
    }

    /// <summary>ModR/M, SIB and displacement; EVEX scales one-byte displacements by the size of what is accessed.</summary>
    private void Memory(int register, Address memory, int tuple)
    {
        var displacement = memory.Displacement;
        var isShort = displacement % tuple == 0 && displacement / tuple is >= -128 and <= 127;
        var mode = isShort ? 0x40 : 0x80;
        if (memory.Index is { } index)
        {
            _code.Add((byte)(mode | ((register & 7) << 3) | 4));
            _code.Add((byte)((int.Log2(memory.Scale) << 6) | (((int)index & 7) << 3) | ((int)memory.Base & 7)));
        }
        else
        {
            _code.Add((byte)(mode | ((register & 7) << 3) | ((int)memory.Base & 7)));
        }

        if (isShort) _code.Add((byte)(sbyte)(displacement / tuple));
        else Number(displacement);
    }

    private void Number(int value)
    {
        for (var i = 0; i < 4; i++) _code.Add((byte)(value >> (8 * i)));
    }
}
