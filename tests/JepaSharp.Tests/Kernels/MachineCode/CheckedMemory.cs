using System.Runtime.InteropServices;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>What emulated machine code may touch: pieces of real memory, by name. Anything else ends the test.</summary>
internal sealed unsafe class CheckedMemory : IDisposable
{
    private readonly List<(ulong Start, ulong End, bool IsWritable, string Name)> _pieces = [];
    private readonly List<nint> _owned = [];

    /// <summary>A new piece, filled with bits that are no number in any format.</summary>
    public byte* Take(string name, int bytes, bool isWritable)
    {
        // Room around it that belongs to nobody.
        const int Around = 256;
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)(bytes + (2 * Around)), 64);
        _owned.Add((nint)memory);
        new Span<byte>(memory, bytes + (2 * Around)).Fill(0xFF);
        Lend(name, memory + Around, bytes, isWritable);
        return memory + Around;
    }

    /// <summary>Somebody else's memory.</summary>
    public void Lend(string name, void* memory, int bytes, bool isWritable) =>
        _pieces.Add(((ulong)memory, (ulong)memory + (ulong)bytes, isWritable, name));

    /// <summary>How many pieces there are: to come back to with <see cref="Return"/>.</summary>
    public int Mark => _pieces.Count;

    /// <summary>Takes back what was lent since.</summary>
    public void Return(int mark) => _pieces.RemoveRange(mark, _pieces.Count - mark);

    /// <summary>Whether an address is in one of the pieces.</summary>
    public bool Holds(void* address) => _pieces.Any(p => (ulong)address >= p.Start && (ulong)address < p.End);

    /// <summary>So many bytes at an address.</summary>
    /// <exception cref="OutsideException">They are not all in one piece, or are to be written and must not.</exception>
    public byte* Reach(ulong address, int bytes, bool write)
    {
        for (var i = _pieces.Count - 1; i >= 0; i--)
        {
            var piece = _pieces[i];
            if (address < piece.Start || address + (ulong)bytes > piece.End || (write && !piece.IsWritable)) continue;
            return (byte*)address;
        }

        throw new OutsideException($"{bytes} bytes {(write ? "written" : "read")} at {address:x}: {Where(address)}.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var memory in _owned) NativeMemory.AlignedFree((void*)memory);
        _owned.Clear();
        _pieces.Clear();
    }

    private string Where(ulong address)
    {
        var nearest = _pieces.MinBy(p => address < p.Start ? p.Start - address : address >= p.End ? address - p.End : 0);
        return $"{(long)(address - nearest.Start)} bytes after the start of {nearest.Name}, which has {nearest.End - nearest.Start}";
    }
}

/// <summary>Code touched memory that it was not given.</summary>
internal sealed class OutsideException(string message) : Exception(message);
