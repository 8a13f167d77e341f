using System.Diagnostics;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace JepaSharp.Benchmarks;

/// <summary>The candidates for decoding, side by side on one thread: whole images to RGB, in turns, best of several rounds.</summary>
internal static class DecodeBenchmark
{
    private const int Rounds = 5;

    public static int Run(string folder)
    {
        var files = Directory.EnumerateFiles(folder, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Take(1000)
            .Select(File.ReadAllBytes).ToArray();
        if (files.Length == 0) throw new InvalidOperationException($"{folder} holds no .jpg file.");
        NetVips.NetVips.Concurrency = 1;
        NetVips.Cache.Max = 0;
        (string Name, Func<byte[], int> Decode)[] candidates = [("SkiaSharp", WithSkia), ("NetVips", WithVips)];
        var perRound = Math.Max(files.Length, 200);
        var best = new double[candidates.Length];
        for (var round = 0; round < Rounds; round++)
        {
            for (var c = 0; c < candidates.Length; c++)
            {
                var clock = Stopwatch.StartNew();
                for (var i = 0; i < perRound; i++) candidates[c].Decode(files[i % files.Length]);
                best[c] = Math.Max(best[c], perRound / clock.Elapsed.TotalSeconds);
            }
        }

        for (var c = 0; c < candidates.Length; c++) Console.WriteLine($"{candidates[c].Name,-10} {best[c],9:F0} images/s");
        return 0;
    }

    private static int WithSkia(byte[] file)
    {
        using var data = SKData.CreateCopy(file);
        using var codec = SKCodec.Create(data);
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var pixels = new byte[info.BytesSize];
        var pin = GCHandle.Alloc(pixels, GCHandleType.Pinned);
        codec.GetPixels(info, pin.AddrOfPinnedObject());
        pin.Free();
        return pixels[0];
    }

    private static int WithVips(byte[] file)
    {
        using var image = NetVips.Image.NewFromBuffer(file, access: NetVips.Enums.Access.Sequential);
        return image.WriteToMemory<byte>()[0];
    }
}
