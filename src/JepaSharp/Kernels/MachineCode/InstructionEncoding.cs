namespace JepaSharp.Kernels.MachineCode;

/// <summary>A place in memory: [base + index + displacement].</summary>
internal readonly record struct Address(Register Base, int Displacement = 0, Register? Index = null, int Scale = 1);

/// <summary>How x86-64 instructions become bytes: prefixes, ModR/M, SIB and displacements.</summary>
/// <remarks>Source: Intel SDM, volume 2, sections 2.1 (ModR/M, SIB, REX), 2.3 (VEX) and 2.7 (EVEX).</remarks>
/// <param name="vectorBytes">64 (EVEX) or 32 (VEX).</param>
internal abstract class InstructionEncoding(int vectorBytes)
{
    /// <summary>The bytes so far.</summary>
    protected List<byte> Code { get; } = [];

    /// <summary>An instruction of 64 bits with an operand in memory.</summary>
    protected void Integer(byte opcode, int register, Address memory)
    {
        var index = memory.Index is { } i ? (int)i : 0;
        Code.Add((byte)(0x48 | (register >> 3 << 2) | (index >> 3 << 1) | ((int)memory.Base >> 3)));
        Code.Add(opcode);
        Memory(register, memory, tuple: 1);
    }

    /// <summary>An arithmetic instruction of 64 bits with a number.</summary>
    protected void Immediate(int operation, Register register, int value)
    {
        Code.Add((byte)(0x48 | ((int)register >> 3)));
        Code.Add(0x81);
        Code.Add((byte)(0xC0 | (operation << 3) | ((int)register & 7)));
        Number(value);
    }

    /// <summary>A conditional jump to what is written.</summary>
    protected void JumpBack(byte condition, int target)
    {
        Code.AddRange([0x0F, condition]);
        Number(target - (Code.Count + 4));
    }

    /// <summary>A conditional jump to what is not written yet.</summary>
    protected int JumpAhead(byte condition)
    {
        Code.AddRange([0x0F, condition]);
        Number(0);
        return Code.Count;
    }

    /// <summary>An instruction between registers.</summary>
    protected void Vector(byte opcode, int map, int prefix, int target, int second, int third)
    {
        if (vectorBytes == 32) Vex(map, prefix, target, second, third >> 3, 0);
        else Evex(map, prefix, target, second, third >> 3, third >> 4);
        Code.Add(opcode);
        Code.Add((byte)(0xC0 | ((target & 7) << 3) | (third & 7)));
    }

    /// <summary>An instruction with an operand in memory.</summary>
    /// <param name="opcode">The opcode.</param>
    /// <param name="map">The opcode map: 1 (0F) or 2 (0F 38).</param>
    /// <param name="prefix">The prefix that the opcode implies: 0 none, 1 is 66, 2 is F3, 3 is F2.</param>
    /// <param name="target">The register of the ModR/M byte.</param>
    /// <param name="second">The register beside it; 0 where there is none.</param>
    /// <param name="memory">Where.</param>
    /// <param name="tuple">Bytes that are accessed, by which EVEX scales a short displacement.</param>
    /// <param name="broadcast">Whether one element serves all lanes.</param>
    protected void Vector(byte opcode, int map, int prefix, int target, int second, Address memory, int tuple, bool broadcast = false)
    {
        var (b, x) = ((int)memory.Base >> 3, memory.Index is { } i ? (int)i >> 3 : 0);
        if (vectorBytes == 32 && !broadcast) Vex(map, prefix, target, second, b, x);
        else Evex(map, prefix, target, second, b, x, broadcast);
        Code.Add(opcode);
        Memory(target, memory, vectorBytes == 32 ? 1 : tuple);
    }

    /// <summary>An instruction on the lower 128 bits of a register, with an operand in memory; the upper bits become zero.</summary>
    protected void Low(byte opcode, int map, int prefix, int target, Address memory)
    {
        Vex(map, prefix, target, 0, (int)memory.Base >> 3, memory.Index is { } i ? (int)i >> 3 : 0, wide: false);
        Code.Add(opcode);
        Memory(target, memory, tuple: 1);
    }

    /// <summary>The three bytes before a VEX opcode, for 256 or 128 bits. Register numbers' upper bits are stored inverted.</summary>
    private void Vex(int map, int prefix, int target, int second, int b, int x, bool wide = true)
    {
        static int Not(int bit) => ~bit & 1;
        Code.Add(0xC4);
        Code.Add((byte)((Not(target >> 3) << 7) | (Not(x) << 6) | (Not(b) << 5) | map));
        Code.Add((byte)(((~second & 15) << 3) | (wide ? 4 : 0) | prefix));
    }

    /// <summary>The four bytes before an EVEX opcode, for 512 bits without mask. Register numbers' upper bits are stored inverted.</summary>
    private void Evex(int map, int prefix, int target, int second, int b, int x, bool broadcast = false)
    {
        static int Not(int bit) => ~bit & 1;
        Code.Add(0x62);
        Code.Add((byte)((Not(target >> 3) << 7) | (Not(x) << 6) | (Not(b) << 5) | (Not(target >> 4) << 4) | map));
        Code.Add((byte)(((~second & 15) << 3) | 4 | prefix));
        Code.Add((byte)(0x40 | (broadcast ? 0x10 : 0) | (Not(second >> 4) << 3)));
    }

    /// <summary>ModR/M, SIB and displacement; EVEX scales one-byte displacements by the size of what is accessed.</summary>
    private void Memory(int register, Address memory, int tuple)
    {
        var displacement = memory.Displacement;
        var isShort = displacement % tuple == 0 && displacement / tuple is >= -128 and <= 127;
        var mode = isShort ? 0x40 : 0x80;
        if (memory.Index is { } index)
        {
            Code.Add((byte)(mode | ((register & 7) << 3) | 4));
            Code.Add((byte)((int.Log2(memory.Scale) << 6) | (((int)index & 7) << 3) | ((int)memory.Base & 7)));
        }
        else
        {
            Code.Add((byte)(mode | ((register & 7) << 3) | ((int)memory.Base & 7)));
        }

        if (isShort) Code.Add((byte)(sbyte)(displacement / tuple));
        else Number(displacement);
    }

    /// <summary>Four bytes, the lowest first.</summary>
    protected void Number(int value)
    {
        for (var i = 0; i < 4; i++) Code.Add((byte)(value >> (8 * i)));
    }
}
