using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace JepaSharp.Runtime;

/// <summary>Marks one required symbol version of a 64-bit little-endian ELF library as weak, in a copy of the file.</summary>
/// <remarks>
/// A version that a library needs but its dependency lacks makes the dynamic linker refuse the library, unless the entry in
/// <c>.gnu.version_r</c> carries VER_FLG_WEAK (bit 1 of <c>vna_flags</c>). In TorchSharp's library the only symbol with
/// version GLIBCXX_3.4.32 is <c>_ZSt21ios_base_library_initv</c>, to which no relocation points, so nothing is ever called through
/// it; on a system that has the version, the flag changes nothing. The original file may be hard-linked to a package cache and is
/// never written. Source: ELF gABI and the Linux Standard Base, "Symbol Versioning".
/// </remarks>
internal static partial class WeakSymbolVersion
{
    private const uint VersionNeededSection = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort Weak = 0x2;                      // VER_FLG_WEAK
    private const uint CloseOnExec = 0x1;                 // MFD_CLOEXEC

    /// <summary>Path of a copy of <paramref name="library"/> in which <paramref name="version"/> is weak; null if it has no such entry.</summary>
    public static string? MendedCopy(string library, string version)
    {
        var image = File.ReadAllBytes(library);
        if (!Mark(image, version)) return null;
        var digest = Convert.ToHexStringLower(SHA256.HashData(image))[..16];
        var folders = CandidateFolders(library, digest).ToList();
        return folders.Select(folder => TryWrite(folder, Path.GetFileName(library), image)).FirstOrDefault(path => path is not null)
            ?? InMemory(image)
            ?? throw new LibtorchNotLoadedException($"No folder to write a mended copy of {library} to: tried {string.Join(", ", folders)}.");
    }

    /// <summary>Sets the weak flag on every need of <paramref name="version"/>; false if there is none.</summary>
    internal static bool Mark(Span<byte> image, string version)
    {
        if (image.Length < 64 || !image[..6].SequenceEqual("\u007fELF\u0002\u0001"u8)) return false; // 64 bits, little-endian
        var sections = (int)U64(image, 0x28);
        int entrySize = U16(image, 0x3a), count = U16(image, 0x3c);
        var marked = false;
        for (var s = 0; s < count; s++)
        {
            var header = sections + (s * entrySize);
            if (U32(image, header + 4) != VersionNeededSection) continue;
            var names = (int)U64(image, sections + ((int)U32(image, header + 0x28) * entrySize) + 0x18);
            var need = (int)U64(image, header + 0x18);
            while (true)
            {
                var auxiliary = need + (int)U32(image, need + 8);
                for (var left = U16(image, need + 2); left > 0; left--)
                {
                    if (NameAt(image, names + (int)U32(image, auxiliary + 8)).SequenceEqual(Encoding.ASCII.GetBytes(version)))
                    {
                        var flags = image.Slice(auxiliary + 4, 2);
                        BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | Weak));
                        marked = true;
                    }

                    auxiliary += (int)U32(image, auxiliary + 12);
                }

                var next = (int)U32(image, need + 12);
                if (next == 0) break;
                need += next;
            }
        }

        return marked;
    }

    private static IEnumerable<string> CandidateFolders(string library, string digest)
    {
        yield return Path.Combine(Path.GetDirectoryName(library)!, "mended-" + digest);
        var cache = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        if (cache.Length > 0) yield return Path.Combine(cache, "jepasharp", "native", digest);
        yield return Path.Combine(Path.GetTempPath(), "jepasharp-" + Environment.UserName, digest);
    }

    private static string? TryWrite(string folder, string name, byte[] image)
    {
        var path = Path.Combine(folder, name);
        try
        {
            if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(image)) return path;
            Directory.CreateDirectory(folder);
            var temporary = $"{path}.{Environment.ProcessId}";
            File.WriteAllBytes(temporary, image);
            File.Move(temporary, path, overwrite: true);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A file without a folder, for a system on which nothing can be written; open until the process ends.</summary>
    internal static string? InMemory(byte[] image)
    {
        try
        {
            var descriptor = CreateInMemory("jepasharp", CloseOnExec);
            if (descriptor < 0) return null;
            var path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{descriptor}");
            File.WriteAllBytes(path, image);
            return path;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CreateInMemory(string name, uint flags);

    private static ReadOnlySpan<byte> NameAt(ReadOnlySpan<byte> image, int at)
    {
        var rest = image[at..];
        return rest[..rest.IndexOf((byte)0)];
    }

    private static ushort U16(ReadOnlySpan<byte> b, int at) => BinaryPrimitives.ReadUInt16LittleEndian(b[at..]);

    private static uint U32(ReadOnlySpan<byte> b, int at) => BinaryPrimitives.ReadUInt32LittleEndian(b[at..]);

    private static ulong U64(ReadOnlySpan<byte> b, int at) => BinaryPrimitives.ReadUInt64LittleEndian(b[at..]);
}
