using System.Reflection.PortableExecutable;
using System.Text;

namespace JepaSharp.Tests.Runtime;

/// <summary>What a Windows library wants from others and offers them, read from its file.</summary>
/// <remarks>Source: Microsoft, "PE Format": the export directory, and the import tables (at once and delayed).</remarks>
internal sealed class PortableExecutable : IDisposable
{
    private readonly PEReader _reader;

    public PortableExecutable(string path) => _reader = new PEReader(File.OpenRead(path));

    /// <summary>Names of the functions and data that it offers.</summary>
    public HashSet<string> Exports()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var at = Header.ExportTableDirectory.RelativeVirtualAddress;
        if (at == 0) return names;
        var (count, table) = (Number(at + 24), Number(at + 32));
        for (var i = 0; i < count; i++) names.Add(Text(Number(table + (4 * i))));
        return names;
    }

    /// <summary>By the library's name in small letters, what is wanted of it; what is wanted by number is left out.</summary>
    public Dictionary<string, List<string>> Imports()
    {
        var all = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        void Add(int name, int table) => all[Text(name).ToLowerInvariant()] = [.. Names(table)];
        if (Header.ImportTableDirectory.RelativeVirtualAddress is > 0 and var at)
            for (; Number(at + 12) != 0; at += 20) Add(Number(at + 12), Number(at) != 0 ? Number(at) : Number(at + 16));
        if (Header.DelayImportTableDirectory.RelativeVirtualAddress is > 0 and var delayed)
            for (; Number(delayed + 4) != 0; delayed += 32) Add(Number(delayed + 4), Number(delayed + 16));
        return all;
    }

    public void Dispose() => _reader.Dispose();

    private PEHeader Header => _reader.PEHeaders.PEHeader!;

    private IEnumerable<string> Names(int table)
    {
        for (; ; table += 8)
        {
            var entry = _reader.GetSectionData(table).GetReader(0, 8).ReadInt64();
            if (entry == 0) yield break;
            if (entry > 0) yield return Text((int)entry + 2);
        }
    }

    private int Number(int address) => _reader.GetSectionData(address).GetReader(0, 4).ReadInt32();

    private string Text(int address)
    {
        var reader = _reader.GetSectionData(address).GetReader();
        return Encoding.ASCII.GetString(reader.ReadBytes(reader.IndexOf(0)));
    }
}
