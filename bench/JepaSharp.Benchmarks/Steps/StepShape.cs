using System.Globalization;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>The work of one training step, with fixed token counts, so that any two programs can be given the same.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="Encoder">Shape of both encoders.</param>
/// <param name="Predictor">Shape of the predictor.</param>
/// <param name="Batch">B: images a micro-batch.</param>
/// <param name="Context">Kc: context patches an image, in one block.</param>
/// <param name="Target">Kt: patches of a target block.</param>
internal sealed record StepShape(string Name, VisionTransformerShape Encoder, PredictorShape Predictor, int Batch, int Context, int Target)
{
    /// <summary>Mt: target blocks an image (paper, section 3).</summary>
    public const int Targets = 4;

    /// <summary>The shapes that are raced.</summary>
    public static IReadOnlyList<string> Raced { get; } = ["tiny", "small", "base"];

    /// <summary>N: patches of an image.</summary>
    public int Patches => Encoder.GridHeight * Encoder.GridWidth;

    /// <summary>A shape by name.</summary>
    public static StepShape Named(string name) => name switch
    {
        "tiny" => Preset("ViT-Tiny 32/4", "vit_tiny", 32, 4, 128, (96, 6), 10, 12),
        "small" => Preset("ViT-Small 224/16", "vit_small", 224, 16, 16, (192, 6), 62, 30),
        "base" => Preset("ViT-Base 224/16", "vit_base", 224, 16, 16, (384, 6), 62, 30),
        "large" => Preset("ViT-Large 224/16", "vit_large", 224, 16, 4, (384, 12), 62, 30),
        "huge" => Preset("ViT-Huge 224/14", "vit_huge", 224, 14, 2, (384, 12), 81, 40),
        _ =>
            throw new JepaException(
                $"Shape \"{name}\" is not known. Use tiny, small, base, large, huge, or numbers: grid,batch,width,depth (as in 16,8,192,6).",
                isUsage: true),
    };

    /// <summary>A shape by name, or by its numbers: patches along a side, batch, width, depth.</summary>
    public static StepShape Parse(string text)
    {
        var numbers = text.Split(',');
        if (numbers.Length == 1) return Named(text);
        if (numbers.Length != 4) return Named(text);
        var n = Array.ConvertAll(numbers, t => int.Parse(t, CultureInfo.InvariantCulture));
        return OfNumbers(n[0], n[1], n[2], n[3]);
    }

    /// <summary>A shape that one number at a time can be changed of: heads 32 wide, a predictor of half the width and depth, 35 % of the patches as
    /// context, 17 % a target.</summary>
    public static StepShape OfNumbers(int grid, int batch, int width, int depth)
    {
        const int Patch = 8;
        var encoder = new VisionTransformerShape
        {
            ImageHeight = grid * Patch,
            ImageWidth = grid * Patch,
            PatchSize = Patch,
            Width = width,
            Depth = depth,
            Heads = width / 32,
            MlpWidth = 4 * width,
        };
        var patches = grid * grid;
        var (context, target) = ((int)Math.Round(0.35 * patches), (int)Math.Round(0.17 * patches));
        return new StepShape($"{grid},{batch},{width},{depth}", encoder.Validated(),
            new PredictorShape(width / 2, Math.Max(1, depth / 2), width / 32), batch, context, target);
    }

    /// <summary>What the peer is told, so that it does the same.</summary>
    public string PeerArguments(string model) => string.Create(
        CultureInfo.InvariantCulture,
        $"--model vit_{model} --image {Encoder.ImageHeight} --patch {Encoder.PatchSize} --batch {Batch} --predictor-depth {Predictor.Depth} "
            + $"--predictor-dim {Predictor.Width} --context {Context} --target {Target}");

    /// <summary>Masks of other patches, at random, for every image.</summary>
    public MaskBatch Masks(int step)
    {
        long[] Block(int number, int length)
        {
            var all = new List<long>();
            for (var image = 0; image < Batch; image++)
            {
                var random = new RandomStream(seed: 0, RandomPurpose.MaskPosition, step, (image * (Targets + 1)) + number);
                var places = Enumerable.Range(0, Patches).Select(p => (long)p).ToArray();
                random.Shuffle<long>(places);
                all.AddRange(places.Take(length).Order());
            }

            return [.. all];
        }

        return new MaskBatch(
            new PatchGrid(Encoder.GridHeight, Encoder.GridWidth), Batch, [Block(0, Context)],
            [.. Enumerable.Range(1, Targets).Select(t => Block(t, Target))]);
    }

    private static StepShape Preset(
        string name, string model, int image, int patch, int batch, (int Width, int Depth) predictor, int context, int target)
    {
        var encoder = ModelPresets.Encoder(model, image, patch);
        return new StepShape(name, encoder, new PredictorShape(predictor.Width, predictor.Depth, encoder.Heads), batch, context, target);
    }
}
