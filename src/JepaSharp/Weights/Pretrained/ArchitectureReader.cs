using JepaSharp.Models;

namespace JepaSharp.Weights;

/// <summary>Reads the architecture off the shapes of weights, with what else the file says.</summary>
internal static class ArchitectureReader
{
    private const int WidestLayer = 1 << 16, MostPatches = 1 << 20;
    private const int PublishedDecoderWidth = 512, PublishedDecoderHeads = 16; // of every published MAE

    /// <summary>Heads of the published widths; the shapes do not tell (ViT-Tiny to ViT-Giant, see <see cref="ModelPresets"/>).</summary>
    private static readonly Dictionary<long, int> HeadsByWidth = new() { [192] = 3, [384] = 6, [768] = 12, [1024] = 16, [1280] = 16, [1408] = 16 };

    /// <summary>The encoder's shape; Heads is 0 where neither the file nor the width tells.</summary>
    /// <exception cref="WeightsFileException">The weights are not an encoder's, or contradict what the file says.</exception>
    public static VisionTransformerShape Encoder(WeightsSource source, string prefix)
    {
        if (!source.Tensors.TryGetValue(prefix + "patch_embed.proj.weight", out var patches)
            || patches.Shape is not [var width, var channels, var side, var sideToo])
            throw NotAnEncoder(source, $"no '{prefix}patch_embed.proj.weight' of shape [width, channels, patch, patch]");
        if (side != sideToo || width is < 1 or > WidestLayer || side is < 1 or > 4096 || channels is < 1 or > 64)
            throw NotAnEncoder(source, $"patches of {side}x{sideToo} pixels, {channels} channels and width {width}");
        var classToken = source.Tensors.ContainsKey(prefix + StateLayout.ClassToken);
        var table = classToken && source.Tensors.TryGetValue(prefix + StateLayout.RelativeTable, out var relative) ? relative : null;
        var isAbsolute = source.Tensors.TryGetValue(prefix + "pos_embed", out var positions);
        var count = isAbsolute || table is null ? CountOf(positions, width, classToken) : RelativeCountOf(source, table, (int)side);
        if (count is not (> 0 and <= MostPatches)) throw NotAnEncoder(source, $"no '{prefix}pos_embed' of shape [1, patches, {width}]");
        var keyBias = source.Tensors.ContainsKey(prefix + StateLayout.KeyBias) || !source.Tensors.ContainsKey(prefix + StateLayout.QueryBias);
        if (!source.Tensors.TryGetValue(prefix + "blocks.0.mlp.fc1.weight", out var hidden)
            || hidden.Shape is not [var mlp and > 0 and <= WidestLayer, _])
            throw NotAnEncoder(source, $"no '{prefix}blocks.0.mlp.fc1.weight' of shape [hidden, {width}]");

        var (height, across) = ImageSize(source, (int)side, (int)count);
        // A table of relative positions has a column for each head.
        if (source.Heads is null && table?.Shape is [_, var columns and > 0 and <= 1024]) source.Heads = (int)columns;
        var heads = source.Heads ?? HeadsByWidth.GetValueOrDefault(width);
        if (heads > 0 && width % heads != 0)
            throw new WeightsFileException(source.Path, $"{heads} heads for a width of {width}", "a number that divides it");
        return new VisionTransformerShape
        {
            ImageHeight = height,
            ImageWidth = across,
            PatchSize = (int)side,
            Channels = (int)channels,
            Width = (int)width,
            Depth = Depth(source, prefix + "blocks."),
            Heads = heads,
            MlpWidth = (int)mlp,
            ClassToken = classToken,
            LearnedPositions = source.LearnedPositions || (isAbsolute && !keyBias), // BEiT's are
            AbsolutePositions = isAbsolute,
            RelativePositions = table is not null,
            LayerScale = source.Tensors.ContainsKey(prefix + StateLayout.Scale),
            KeyBias = keyBias,
            MaskToken = source.Tensors.TryGetValue(prefix + StateLayout.MaskToken, out var mask) && mask.Shape is [1, 1, var of] && of == width,
            Resizing = source.Resizing,
        };
    }

    /// <summary>Patches that there are positions of; 0 where there are none.</summary>
    private static long CountOf(LazyTensor? positions, long width, bool classToken) =>
        positions?.Shape is [1, var rows and > 0, var own] && own == width ? rows - (classToken ? 1 : 0) : 0;

    /// <summary>Patches of the grid that a table of relative positions is for: the image's, or a square one; 0 where it is none.</summary>
    private static long RelativeCountOf(WeightsSource source, LazyTensor table, int side)
    {
        if (table.Shape is not [var rows and > 0 and <= MostPatches, _]) return 0;
        if (source.ImageSize is var (height, width) && height % side == 0 && width % side == 0 && height > 0 && width > 0)
            return RelativePositionBias.RowsOf(height / side, width / side) == rows ? (long)(height / side) * (width / side) : 0;
        var grid = ((long)Math.Round(Math.Sqrt(Math.Max(0, rows - RelativePositionBias.ClassRows))) + 1) / 2;
        return RelativePositionBias.RowsOf((int)grid, (int)grid) == rows ? grid * grid : 0;
    }

    /// <summary>The shape of MAE's decoder; Heads is 0 where neither the file nor the width tells. Null where there is none.</summary>
    public static PixelDecoderShape? Decoder(WeightsSource source)
    {
        const string prefix = NetworkNames.Decoder + ".";
        if (!source.Tensors.TryGetValue(prefix + "decoder_embed.weight", out var embed)
            || embed.Shape is not [var width and > 0 and <= WidestLayer, _])
            return null;
        var heads = source.DecoderHeads ?? (width == PublishedDecoderWidth ? PublishedDecoderHeads : 0);
        return new PixelDecoderShape((int)width, Depth(source, prefix + "decoder_blocks."), heads);
    }

    /// <summary>The predictor's shape and the hidden width of its MLPs; Heads is 0 where it is not known.</summary>
    /// <exception cref="WeightsFileException">The weights are not a predictor's.</exception>
    public static (PredictorShape Shape, int MlpWidth) Predictor(WeightsSource source, VisionTransformerShape encoder)
    {
        const string prefix = NetworkNames.Predictor + ".";
        if (!source.Tensors.TryGetValue(prefix + "predictor_embed.weight", out var embed)
            || embed.Shape is not [var width and > 0 and <= WidestLayer, _])
            throw new WeightsFileException(
                source.Path, $"no '{prefix}predictor_embed.weight' of shape [width, encoder width]", "it among a predictor's weights");
        if (!source.Tensors.TryGetValue(prefix + "predictor_blocks.0.mlp.fc1.weight", out var hidden)
            || hidden.Shape is not [var mlp and > 0 and <= WidestLayer, _])
            throw new WeightsFileException(
                source.Path, $"no '{prefix}predictor_blocks.0.mlp.fc1.weight' of shape [hidden, {width}]", "it among a predictor's weights");
        var shape = new PredictorShape((int)width, Depth(source, prefix + "predictor_blocks."), source.PredictorHeads ?? encoder.Heads)
        {
            Outputs = source.PredictorOutputs ?? PixelsOf(source, prefix + "predictor_proj.weight", encoder),
        };
        return (shape, (int)mlp);
    }

    /// <summary>A last layer that ends in the numbers of a patch and not in the encoder's width predicts pixels.</summary>
    private static int? PixelsOf(WeightsSource source, string name, VisionTransformerShape encoder) =>
        source.Tensors.TryGetValue(name, out var last) && last.Shape is [var outputs, _] && outputs != encoder.Width
            && outputs == PatchPixels.CountOf(encoder) ? (int)outputs : null;

    private static (int Height, int Width) ImageSize(WeightsSource source, int patch, int count)
    {
        if (source.ImageSize is var (height, width))
        {
            if (height % patch == 0 && width % patch == 0 && (long)(height / patch) * (width / patch) == count) return (height, width);
            throw new WeightsFileException(
                source.Path, $"{count} positions for images of {height}x{width} pixels in patches of {patch}", "one position for each patch");
        }

        var side = (int)Math.Round(Math.Sqrt(count));
        if (side * side == count) return (side * patch, side * patch);
        throw new WeightsFileException(source.Path, $"{count} positions, which are not a square grid, and nothing that says which grid",
            "a square number, or the image size in the file's metadata");
    }

    private static int Depth(WeightsSource source, string prefix) =>
        1 + source.Tensors.Keys.Select(name => WeightNames.Block(name, prefix)?.Index ?? -1).Max();

    private static WeightsFileException NotAnEncoder(WeightsSource source, string found)
    {
        string[] all = [.. source.Tensors.Keys, .. source.Unknown];
        if (PrefixedNames.Explain(source.Path, all, source.Inside, source.RootKeys) is { } explained) return explained;
        var names = all.Take(4).Select(name => $"'{SafetensorsHeader.Shown(name)}'");
        return new WeightsFileException(
            source.Path, $"{found} (names in the file: {string.Join(", ", names)}, ...)", "the weights of a Vision Transformer");
    }
}
