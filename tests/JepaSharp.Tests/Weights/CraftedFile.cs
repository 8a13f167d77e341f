using System.Buffers.Binary;
using System.Text;

namespace JepaSharp.Tests.Weights;

/// <summary>Weights files made byte by byte, to be wrong in exactly one place.</summary>
internal static class CraftedFile
{
    /// <summary>A safetensors file with this header and so many bytes after it.</summary>
    public static byte[] Safetensors(string header, int dataBytes = 0) => Safetensors(Encoding.UTF8.GetBytes(header), dataBytes);

    public static byte[] Safetensors(byte[] header, int dataBytes = 0) =>
        [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[dataBytes]];

    /// <summary>A checkpoint with this pickle and storage "0" of so many zero bytes.</summary>
    public static byte[] Checkpoint(byte[] pickle, int storageBytes = 16) => Zip([("a/data.pkl", pickle), ("a/data/0", new byte[storageBytes])]);

    /// <summary>A zip archive of uncompressed files.</summary>
    /// <param name="files">Names and contents.</param>
    /// <param name="spoil">Changes a central entry (46 bytes and the name) before it is written.</param>
    /// <param name="spoilEnd">Changes the end record (22 bytes).</param>
    public static byte[] Zip((string Name, byte[] Content)[] files, Action<int, byte[]>? spoil = null, Action<byte[]>? spoilEnd = null)
    {
        var archive = new MemoryStream();
        var directory = new MemoryStream();
        for (var i = 0; i < files.Length; i++)
        {
            var name = Encoding.UTF8.GetBytes(files[i].Name);
            var crc = System.IO.Hashing.Crc32.HashToUInt32(files[i].Content);
            var local = new byte[30];
            Put32(local, 0, 0x04034b50);
            Put32(local, 14, crc);
            Put32(local, 18, (uint)files[i].Content.Length);
            Put32(local, 22, (uint)files[i].Content.Length);
            Put16(local, 26, (ushort)name.Length);
            var central = new byte[46 + name.Length];
            Put32(central, 0, 0x02014b50);
            Put32(central, 16, crc);
            Put32(central, 20, (uint)files[i].Content.Length);
            Put32(central, 24, (uint)files[i].Content.Length);
            Put16(central, 28, (ushort)name.Length);
            Put32(central, 42, (uint)archive.Length);
            name.CopyTo(central, 46);
            spoil?.Invoke(i, central);
            archive.Write(local);
            archive.Write(name);
            archive.Write(files[i].Content);
            directory.Write(central);
        }

        var end = new byte[22];
        Put32(end, 0, 0x06054b50);
        Put16(end, 8, (ushort)files.Length);
        Put16(end, 10, (ushort)files.Length);
        Put32(end, 12, (uint)directory.Length);
        Put32(end, 16, (uint)archive.Length);
        spoilEnd?.Invoke(end);
        return [.. archive.ToArray(), .. directory.ToArray(), .. end];
    }

    /// <summary>The same archive with its sizes and positions in zip64 fields, as archives over 4 GB have them.</summary>
    public static byte[] Zip64((string Name, byte[] Content)[] files)
    {
        var plain = Zip(files);
        var start = (int)BinaryPrimitives.ReadUInt32LittleEndian(plain.AsSpan(plain.Length - 6));
        var directory = new List<byte>();
        for (var at = start; at < plain.Length - 22;)
        {
            var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(plain.AsSpan(at + 28));
            var entry = plain[at..(at + 46 + nameLength)];
            byte[] size = [.. entry[24..28], 0, 0, 0, 0];
            byte[] extra = [9, 9, 1, 0, 7, 1, 0, 24, 0, .. size, .. size, .. entry[42..46], 0, 0, 0, 0];
            entry.AsSpan(20, 8).Fill(255);
            entry.AsSpan(42, 4).Fill(255);
            Put16(entry, 30, (ushort)extra.Length);
            directory.AddRange([.. entry, .. extra]);
            at += 46 + nameLength;
        }

        var record = new byte[56];
        Put32(record, 0, 0x06064b50);
        Put32(record, 32, (uint)files.Length);
        Put32(record, 40, (uint)directory.Count);
        Put32(record, 48, (uint)start);
        var end = plain[^22..];
        end.AsSpan(8, 12).Fill(255);
        return [.. plain[..start], .. directory, .. record, 0x50, 0x4b, 6, 7, 0, 0, 0, 0, .. BitConverter.GetBytes((long)start + directory.Count), 1,
            0, 0, 0, .. end];
    }

    /// <summary>A pickle of protocol 2 from pieces: a text is its characters as bytes, a number is one byte.</summary>
    public static byte[] Pickle(params object[] pieces)
    {
        var bytes = new List<byte> { 0x80, 2 };
        foreach (var piece in pieces)
        {
            switch (piece)
            {
                case string text: bytes.AddRange(Encoding.Latin1.GetBytes(text)); break;
                case int value: bytes.Add((byte)value); break;
                case byte[] raw: bytes.AddRange(raw); break;
                default: throw new ArgumentException(piece.ToString());
            }
        }

        return [.. bytes];
    }

    /// <summary>The opcodes for a text.</summary>
    public static byte[] Text(string text) => [(byte)'X', .. BitConverter.GetBytes(text.Length), .. Encoding.UTF8.GetBytes(text)];

    /// <summary>The opcodes for a whole number.</summary>
    public static byte[] Whole(long value) => [0x8a, 8, .. BitConverter.GetBytes(value)];

    /// <summary>The opcodes for a tuple of whole numbers.</summary>
    public static byte[] Tuple(params long[] values) => [(byte)'(', .. values.SelectMany(Whole), (byte)'t'];

    /// <summary>The opcodes for storage "0" with so many elements.</summary>
    public static byte[] Storage(long count, string type = "FloatStorage", string key = "0") =>
        [(byte)'(', .. Text("storage"), .. Encoding.ASCII.GetBytes($"ctorch\n{type}\n"), .. Text(key), .. Text("cpu"), .. Whole(count), (byte)'t',
            (byte)'Q'];

    /// <summary>The opcodes for a tensor.</summary>
    public static byte[] Tensor(byte[] storage, long offset, long[] shape, long[] strides) =>
        [.. Encoding.ASCII.GetBytes("ctorch._utils\n_rebuild_tensor_v2\n("), .. storage, .. Whole(offset), .. Tuple(shape), .. Tuple(strides), 0x89,
            (byte)'}', (byte)'t', (byte)'R'];

    /// <summary>A pickle of a dictionary with one tensor under a name.</summary>
    public static byte[] Named(string name, byte[] tensor) => Pickle("}", Text(name), tensor, "s.");

    private static void Put16(byte[] bytes, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), value);

    private static void Put32(byte[] bytes, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);
}
