using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using JepaSharp.Kernels;
using JepaSharp.Kernels.MachineCode;
using JepaSharp.Runtime;

namespace JepaSharp.Models.Accelerated;

/// <summary>Whether the products with Intel AMX do what they should on this machine, before anything is computed with them.</summary>
/// <remarks>
/// They were written where there was no such processor. So <c>jepa</c> tries them in a process of its own, once for a machine, and compares them with
/// plain sums: if that process dies or the sums differ, they are not used. A program that uses the library is not started again; there
/// <c>JEPASHARP_KERNELS=bf16-amx</c> asks for them, and the sums are compared in the program itself.
/// </remarks>
public static class AmxTrial
{
    /// <summary>The command's only argument in the process that tries.</summary>
    public const string Argument = "--amx-trial";

    private const string Key = "bf16-amx";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly Lazy<string?> LazyFault = new(Find);

    /// <summary>What kept them from being used, as the rest of a sentence; null where nothing did.</summary>
    public static string? Fault => AmxSupport.Missing ?? LazyFault.Value;

    /// <summary>Compares products with plain sums in this process.</summary>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static unsafe string? Compare()
    {
        if (AmxSupport.Missing is { } missing) return missing;
        var products = new AmxTileProducts(AmxCode.Placed);
        foreach (var layout in (LeftLayout[])[LeftLayout.Rows, LeftLayout.Panel])
        {
            foreach (var (rows, words) in ((int, int)[])[(1, 1), (5, 16), (16, 32), (17, 20), (31, 96), (32, 192)])
            {
                if (!Agrees(products, layout, rows, words)) return $"a product of {rows} rows and {words} words came out wrong ({layout})";
            }
        }

        AmxCode.Release();
        return null;
    }

    private static unsafe bool Agrees(AmxTileProducts products, LeftLayout layout, int rows, int words)
    {
        const int Columns = TileProduct.Columns;
        using NativeBuffer memory = new(), results = new();
        var left = (ushort*)memory.Take((words * TileProduct.PanelStep * 2) + 64);
        var right = left + (words * TileProduct.PanelStep / 2);
        float Value(ushort* place) => BitConverter.UInt32BitsToSingle((uint)*place << 16);
        ushort* Left(int row, int k) =>
            left + (layout == LeftLayout.Rows ? (row * 2 * words) + k : (k / 2 * 2 * Columns) + (2 * row) + (k % 2));
        ushort* Right(int k, int column) => right + (k / 2 * 2 * Columns) + (2 * column) + (k % 2);
        // Small whole numbers, whose sums are exact in any order.
        for (var i = 0; i < words * TileProduct.PanelStep; i++) left[i] = (ushort)(BitConverter.SingleToUInt32Bits(((i * 7) % 13) - 6) >> 16);
        var result = results.TakeFloats(rows * Columns);
        var arguments = new TileArguments
        {
            Left = (byte*)left,
            LeftStride = 4 * words,
            Right = (byte*)right,
            Words = words,
            Result = result,
            ResultStride = Columns * sizeof(float),
        };
        products.Run(rows, layout, TileEnd.Store, ref arguments);
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < Columns; c++)
            {
                var sum = 0f;
                for (var k = 0; k < 2 * words; k++) sum += Value(Left(r, k)) * Value(Right(k, c));
                if (result[(r * Columns) + c] != sum) return false;
            }
        }

        return true;
    }

    private static string? Find()
    {
        if (KernelSupport.Wanted == Key) return Compare();
        if (KernelSupport.Wanted != "auto" || Assembly.GetEntryAssembly()?.GetName().Name != "jepa" || Environment.ProcessPath is not { } program)
            return $"they are used where {KernelSupport.Variable}={Key} asks for them";
        var path = CacheFolder.Default() is { } cache ? Path.Combine(cache, "timings", Name()) : null;
        if (Kept(path) is { } kept) return kept.Length == 0 ? null : kept;
        var fault = Tried(program);
        Keep(path, fault ?? "");
        return fault;
    }

    private static string? Tried(string program)
    {
        var isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        try
        {
            var start = new ProcessStartInfo(program, isHost ? [Environment.GetCommandLineArgs()[0], Argument] : [Argument])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                RedirectStandardInput = true,
            };
            using var process = Process.Start(start)!;
            if (!process.WaitForExit(Patience))
            {
                process.Kill();
                return "a trial of them did not end";
            }

            return process.ExitCode == 0 ? null
                : string.Create(CultureInfo.InvariantCulture, $"a trial of them ended with code {process.ExitCode}; they are wrong on this machine");
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or IOException)
        {
            return $"they could not be tried: {e.Message}";
        }
    }

    private static string Name()
    {
        var key = $"{typeof(AmxTrial).Module.ModuleVersionId}\n{Processor.Detect().Model}";
        return $"amx-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 12))}.txt";
    }

    private static string? Kept(string? path)
    {
        try
        {
            return path is not null && File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Keep(string? path, string fault)
    {
        if (path is null) return;
        try
        {
            _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, fault);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Tried again at the next start.
        }
    }
}
