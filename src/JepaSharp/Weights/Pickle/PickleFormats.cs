using JepaSharp.Runtime;

namespace JepaSharp.Weights;

/// <summary>Recognises the formats that PyTorch has written over the years, so that those which are not read are named.</summary>
internal static class PickleFormats
{
    private const string SaveAgain = "the zip format that torch.save writes since PyTorch 1.6: load the file once in PyTorch with "
        + "torch.load(path, map_location='cpu', weights_only=True) and save what you get with torch.save";

    /// <summary>A zip archive: a local file header, or the end record of an empty archive.</summary>
    public static bool IsZip(ReadOnlySpan<byte> start) => start.StartsWith("PK\x03\x04"u8) || start.StartsWith("PK\x05\x06"u8);

    /// <summary>A pickle of protocol 2 or later.</summary>
    public static bool IsBarePickle(ReadOnlySpan<byte> start) => start.Length >= 2 && start[0] == 0x80 && start[1] is >= 2 and <= 5;

    /// <summary>The older torch.save: a first pickle holding the number 0x1950a86a20f9469cfc6c.</summary>
    private static bool IsOldTorchSave(ReadOnlySpan<byte> start) =>
        IsBarePickle(start) && start[2..].StartsWith((ReadOnlySpan<byte>)[0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]);

    private static bool IsTar(ReadOnlySpan<byte> start) => start.Length >= 262 && start[257..].StartsWith("ustar"u8);

    /// <exception cref="WeightsFileException">The file is not a zip archive; the message names what it is.</exception>
    public static void RequireZip(MappedFile file)
    {
        var start = file.View(0, (int)Math.Min(file.Length, 512));
        if (IsZip(start)) return;
        if (IsOldTorchSave(start))
            throw new WeightsFileException(file.Path, "a checkpoint in PyTorch's old format, one pickle after another", SaveAgain);
        if (IsTar(start))
            throw new WeightsFileException(file.Path, "a tar archive, PyTorch's oldest format or a packed folder", SaveAgain + " (or unpack it first)");
        if (IsBarePickle(start)) throw new WeightsFileException(file.Path, "a bare Python pickle", SaveAgain);
        var shown = Convert.ToHexString(start[..Math.Min(8, start.Length)]);
        throw new WeightsFileException(file.Path, start.IsEmpty ? "an empty file" : $"a file that begins with the bytes {shown}", "a checkpoint that torch.save wrote, which is a zip archive");
    }
}
