using System.Globalization;
using JepaSharp.Data;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Runs.Visualization;

/// <summary>Pairs of blocks and what is said of them, computed once and kept in a folder, some hundreds a file, so that a stop loses
/// little.</summary>
/// <param name="folder">The folder.</param>
/// <param name="fingerprint">Of the networks that were asked.</param>
internal sealed class PairStore(string folder, string fingerprint)
{
    /// <summary>Pairs in a file.</summary>
    public const int InAFile = 512;

    /// <summary>Whose representations are always computed together: the two passes through the encoders are the cost.</summary>
    public static IReadOnlyList<BlockSource> Together { get; } = [BlockSource.Predictor, BlockSource.Target, BlockSource.Context];

    /// <summary>Computes what is missing.</summary>
    /// <param name="preparation">Asks the networks.</param>
    /// <param name="source">The images.</param>
    /// <param name="pairs">How many pairs.</param>
    /// <param name="seed">Keys the images' order.</param>
    /// <param name="wanted">Whose representations.</param>
    /// <param name="progress">Is told how many pairs are there.</param>
    /// <param name="stop">Stops between files.</param>
    public void Complete(
        BlockPreparation preparation, ImageSource source, int pairs, ulong seed, IReadOnlyList<BlockSource> wanted, IProgress<int>? progress,
        CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        var order = Order(source.Count, seed);
        for (var start = 0; start < pairs; start += InAFile)
        {
            stop.ThrowIfCancellationRequested();
            var path = PathOf(start, wanted[0]);
            if (!File.Exists(path))
            {
                int[] images = [.. Enumerable.Range(start, Math.Min(InAFile, pairs - start)).Select(p => order[p % order.Length])];
                using var made = preparation.Of(source, images, key: start / BlockPreparation.Batch, wanted, stop: stop);
                Write(path, made, wanted);
            }

            progress?.Report(Math.Min(pairs, start + InAFile));
        }
    }

    /// <summary>All pictures, as a source of images.</summary>
    public PairImages Pictures(int pairs)
    {
        var images = new List<RgbImage>();
        foreach (var path in Files(pairs, BlockSource.Predictor))
        {
            using var file = Open(path);
            using var pictures = file.Read("pictures");
            var (count, side) = ((int)pictures.shape[0], (int)pictures.shape[1]);
            var bytes = pictures.bytes.ToArray();
            var each = side * side * 3;
            for (var i = 0; i < count; i++) images.Add(new RgbImage(side, side, bytes[(i * each)..((i + 1) * each)]));
        }

        return new PairImages(images, folder);
    }

    /// <summary>All that is said of them by one. -> float32 [pairs, D].</summary>
    public Tensor Conditions(int pairs, BlockSource who)
    {
        using var scope = NewDisposeScope();
        var rows = new List<Tensor>();
        foreach (var path in Files(pairs, who == BlockSource.Untrained ? who : BlockSource.Predictor))
        {
            using var file = Open(path);
            rows.Add(file.Read(NameOf(who)));
        }

        return cat(rows).DetachFromDisposeScope();
    }

    private static string NameOf(BlockSource who) => who.ToString().ToLowerInvariant();

    private static int[] Order(int count, ulong seed)
    {
        var order = Enumerable.Range(0, count).ToArray();
        new RandomStream(seed, RandomPurpose.Evaluation, epoch: 4).Shuffle(order.AsSpan());
        return order;
    }

    private IEnumerable<string> Files(int pairs, BlockSource first)
    {
        for (var start = 0; start < pairs; start += InAFile) yield return PathOf(start, first);
    }

    private string PathOf(int start, BlockSource first)
    {
        var kind = first == BlockSource.Untrained ? "untrained-" : "";
        return Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{kind}{start / InAFile:D5}.safetensors"));
    }

    private void Write(string path, PreparedBlocks made, IReadOnlyList<BlockSource> wanted)
    {
        using var scope = NewDisposeScope();
        var tensors = wanted.Select(w => KeyValuePair.Create(NameOf(w), made.Conditions[w])).ToList();
        if (wanted.Contains(BlockSource.Predictor)) tensors.Add(KeyValuePair.Create("pictures", PictureBytes.Of(made.Pictures)));
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string> { ["decoded_networks"] = fingerprint });
    }

    private SafetensorsFile Open(string path)
    {
        var file = SafetensorsFile.Open(path);
        if (file.Metadata.GetValueOrDefault("decoded_networks") == fingerprint) return file;
        file.Dispose();
        throw new JepaException($"{path} holds what other networks said. Remove {folder}, and give the command again.");
    }
}

/// <summary>Pictures as bytes and back.</summary>
internal static class PictureBytes
{
    private const double Half = 127.5;

    /// <summary>float32 [n, 3, S, S], -1 to 1 -> uint8 [n, S, S, 3].</summary>
    public static Tensor Of(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return pictures.Multiply(Half).Add(tensor((float)Half, device: pictures.device)).round().Clamp_(0, 255).to(uint8).permute(0, 2, 3, 1).cpu()
            .contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Each as an image.</summary>
    public static IReadOnlyList<RgbImage> Images(Tensor pictures)
    {
        using var bytes = Of(pictures);
        var (side, all) = ((int)bytes.shape[1], bytes.bytes.ToArray());
        var each = side * side * 3;
        return [.. Enumerable.Range(0, (int)bytes.shape[0]).Select(i => new RgbImage(side, side, all[(i * each)..((i + 1) * each)]))];
    }
}

/// <summary>Kept pictures of blocks as a source to train on.</summary>
internal sealed class PairImages(IReadOnlyList<RgbImage> images, string folder) : ImageSource
{
    public override int Count => images.Count;

    public override string Description => $"{images.Count} blocks kept in {folder}";

    public override string NameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"{index:D6}");

    public override OpenedImage Open(int index) => new PixelImage(images[index]);
}
