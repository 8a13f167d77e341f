using System.CommandLine;
using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Evaluation.Features;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Models;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Features;

/// <summary>The options of verbs that work on an encoder's features of images: which encoder, which features, where they are kept.</summary>
/// <param name="required">Whether a verb cannot do without an encoder.</param>
internal sealed class FeatureArguments(bool required = true)
{
    private readonly Option<string> _layers = new("--layers")
    {
        Description = "last: the last block; last4: the last four side by side.",
        DefaultValueFactory = _ => "last",
        HelpName = "LAYERS",
    };
    private readonly Option<string> _pool = new("--pool")
    {
        Description = "What stands for an image: mean (its patches averaged), class (the class token), class-unnormed (that before the final norm), "
            + "class-mean (both, side by side), interleaved (both, number by number), or auto: the class token where there is one.",
        DefaultValueFactory = _ => "auto",
        HelpName = "POOL",
    };
    private readonly Option<int?> _size = new("--size")
    {
        Description = "Side of the square images in pixels; that of the training if not given.",
        HelpName = "N",
    };
    private readonly Option<string> _transform = new("--transform")
    {
        Description = "paper: resize, then cut out the centre; squash: the whole image. If not given: paper, but squash for numbers and duplicates.",
        HelpName = "HOW",
    };
    private readonly Option<int> _batch = new("--batch")
    {
        Description = "Images a pass of the encoder.",
        DefaultValueFactory = _ => FittedHead.BatchSize,
        HelpName = "N",
    };
    private readonly Option<string> _device = new("--device")
    {
        Description = "auto, cpu, cuda or cuda:N.",
        DefaultValueFactory = _ => "auto",
        HelpName = "DEVICE",
    };
    private readonly Option<string?> _cache = new("--cache")
    {
        Description = $"Folder to keep features in; {FeatureCache.DefaultFolder() ?? "none, for want of a home folder,"} if not given.",
        HelpName = "DIR",
    };
    private readonly Option<bool> _noCache = new("--no-cache") { Description = "Keep no features, and use none that were kept." };
    private readonly Option<double> _cacheLimit = new("--cache-limit")
    {
        Description = "Most gigabytes of kept features.",
        DefaultValueFactory = _ => FeatureCache.DefaultLimit / (double)(1L << 30),
        HelpName = "GB",
    };
    private readonly MemoryOption _memory = new();

    /// <summary>Which weights.</summary>
    public WeightsArguments Weights { get; } = new(required);

    /// <summary>All that say which features, and how they are made and kept: what means nothing where features are at hand.</summary>
    public IReadOnlyList<Option> OfMaking =>
        [.. Weights.Options, _layers, _pool, _size, _transform, _batch, _device, _cache, _noCache, _cacheLimit];

    /// <summary>Adds them to a verb.</summary>
    public void AddTo(Command command)
    {
        Weights.AddTo(command, "Which encoder to use: target (the default) or context.");
        foreach (var option in OfMaking.Skip(Weights.Options.Count).Append(_memory)) command.Add(option);
        _layers.AcceptOnlyFromAmong("last", "last4");
        _pool.AcceptOnlyFromAmong("auto", "mean", "class", PoolOption.Unnormed, PoolOption.SideBySide, PoolOption.Interleaved);
        _transform.AcceptOnlyFromAmong("paper", "squash");
        _batch.RequireAtLeast(1);
        _size.RequireAtLeast(1);
    }

    /// <summary>Opens the encoder.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="terminal">For notes.</param>
    /// <param name="stop">Stops between batches.</param>
    /// <param name="squash">Whether images are squashed where nothing is said.</param>
    /// <exception cref="JepaException">Something does not fit.</exception>
    public FeatureSession Open(ParseResult arguments, Terminal terminal, StopSignals stop, bool squash = false)
    {
        BoundMemory(arguments);
        var gigabytes = arguments.GetValue(_cacheLimit);
        if (!(gigabytes > 0))
            throw new JepaException($"--cache-limit {gigabytes.ToString(CultureInfo.InvariantCulture)}: expected more than 0.", isUsage: true);
        var folder = arguments.GetValue(_noCache) ? null : arguments.GetValue(_cache) ?? FeatureCache.DefaultFolder();
        if (folder is null && !arguments.GetValue(_noCache))
            terminal.Error.WriteLine(
                "note: There is no home folder to keep features in; the result does not depend on it. Give a folder with --cache, or --no-cache.");
        var cache = folder is null ? null : new FeatureCache(folder, (long)Math.Min(gigabytes * (1L << 30), long.MaxValue / 2));
        var device = TorchBackend.ChooseDevice(arguments.GetValue(_device)!);
        var loaded = Weights.LoadEncoder(arguments, device);
        try
        {
            foreach (var note in loaded.Notes) terminal.Error.WriteLine("note: " + note);
            return new FeatureSession(
                loaded, Weights.PathOf(arguments), device, SizeOf(arguments, loaded.Encoder.Shape),
                (arguments.GetValue(_transform) ?? (squash ? "squash" : "paper")) == "squash",
                arguments.GetValue(_layers) == "last" ? 1 : Math.Min(4, loaded.Encoder.Shape.Depth), arguments.GetValue(_pool)!,
                arguments.GetResult(_batch) is null ? FittedHead.BatchSize : arguments.GetValue(_batch), new KeptFeatures(cache, terminal, stop));
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Sets what decoding images may hold at a time.</summary>
    public void BoundMemory(ParseResult arguments) => _memory.Bound(arguments);

    private int SizeOf(ParseResult arguments, VisionTransformerShape shape)
    {
        var size = arguments.GetValue(_size) ?? Math.Min(shape.ImageHeight, shape.ImageWidth);
        return size % shape.PatchSize == 0 ? size : throw new JepaException(
            $"Images of {size} pixels are not a whole number of {shape.PatchSize}-pixel patches. Give --size a multiple of {shape.PatchSize}.",
            isUsage: true);
    }
}
