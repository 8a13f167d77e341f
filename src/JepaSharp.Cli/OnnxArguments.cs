using System.CommandLine;
using System.Globalization;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using JepaSharp.Weights.Onnx;

namespace JepaSharp.Cli;

/// <summary>The options of <c>jepa export</c> that ONNX files alone have.</summary>
internal sealed class OnnxArguments
{
    private static readonly Dictionary<string, OnnxPooling> Poolings = new()
    {
        ["auto"] = OnnxPooling.Usual,
        ["mean"] = OnnxPooling.Mean,
        ["class"] = OnnxPooling.ClassToken,
        [PoolOption.Unnormed] = OnnxPooling.ClassTokenUnnormed,
        [PoolOption.SideBySide] = OnnxPooling.SideBySide,
        [PoolOption.Interleaved] = OnnxPooling.Interleaved,
        ["none"] = OnnxPooling.Patches,
    };

    private readonly Option<string> _pool = new("--pool")
    {
        Description = "onnx: what stands for an image, as in jepa embed: auto, mean, class, class-unnormed, class-mean, interleaved or none.",
        DefaultValueFactory = _ => "auto",
        HelpName = "POOL",
    };
    private readonly Option<string> _size = new("--size")
    {
        Description = "onnx: side of the square images in pixels, or any: whatever sides are multiples of the patch. The training's if not given.",
        HelpName = "N|any",
    };
    private readonly Option<string> _normalize = new("--normalize")
    {
        Description = "onnx: inside: the file takes pixels from 0 to 1 and normalises them itself; outside: it takes normalised ones.",
        DefaultValueFactory = _ => "inside",
        HelpName = "WHERE",
    };
    private readonly Option<string> _transform = new("--transform")
    {
        Description = "onnx: how a program is to bring images to size, written into the file: paper or squash, as in jepa embed.",
        DefaultValueFactory = _ => "paper",
        HelpName = "HOW",
    };
    private readonly Option<string?> _head = new("--head")
    {
        Description = "onnx: a head that jepa fit wrote for these weights: the file then gives its probabilities, too. Pooling, size and transform "
            + "are the head's.",
        HelpName = "HEAD",
    };
    private readonly Option<string?> _license = new("--license")
    {
        Description = "onnx: the licence of the weights, written into the file.",
        HelpName = "TEXT",
    };

    /// <summary>Adds them to a verb.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in All) command.Add(option);
        _pool.AcceptOnlyFromAmong([.. Poolings.Keys]);
        _normalize.AcceptOnlyFromAmong("inside", "outside");
        _transform.AcceptOnlyFromAmong("paper", "squash");
        _size.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && token.Value != "any" && !(Number(token.Value) > 0))
                result.AddError($"--size {token.Value}: expected a number of pixels, or any.");
        });
    }

    /// <summary>Refuses them beside another format.</summary>
    /// <exception cref="JepaException">One was given.</exception>
    public void RequireUnused(ParseResult arguments, string format)
    {
        if (All.FirstOrDefault(option => arguments.GetResult(option) is { Implicit: false }) is { } given)
            throw new JepaException($"{given.Name} is for --to onnx; with --to {format} the file holds weights alone. Leave it out.", isUsage: true);
    }

    /// <summary>Writes a head with its encoder, where one was asked for.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="weights">Path of the encoder's weights.</param>
    /// <param name="source">What the user called them.</param>
    /// <param name="path">The file to write.</param>
    /// <returns>What it holds, for the user; null where no head was asked for.</returns>
    /// <exception cref="JepaException">It is of another encoder, or has no such form.</exception>
    public string? WriteHead(ParseResult arguments, string weights, string source, string path)
    {
        if (arguments.GetValue(_head) is not { } folder) return null;
        if (((Option[])[_pool, _size, _transform]).FirstOrDefault(option => arguments.GetResult(option) is { Implicit: false }) is { } given)
            throw new JepaException($"{given.Name}: the head in {folder} says how it reads images. Leave it out.", isUsage: true);
        using var head = FittedHead.Open(folder, weights);
        var texts = new Dictionary<string, string> { ["source"] = source };
        if (arguments.GetValue(_license) is { } license) texts["license"] = license;
        var inside = arguments.GetValue(_normalize) == "inside";
        var files = head.WriteOnnx(path, texts, inside);
        var size = head.Record.Transform.Size;
        return $"encoder and {head.Record.Kind} head; {OnnxExport.Pixels} [batch, 3, {size}, {size}], {(inside ? "from 0 to 1" : "normalised")} -> "
            + $"{OnnxExport.Features} [batch, {head.Record.Features.Width}], {OnnxExport.Probabilities} [batch, {head.Classes.Count}]"
            + (files.Count > 1 ? $"; weights in {files[1]}, which must stay beside it" : "");
    }

    /// <summary>Writes the file.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="weights">Where from.</param>
    /// <param name="source">What the user called them.</param>
    /// <param name="network">Which encoder.</param>
    /// <param name="normalization">How pixels were normalised in training.</param>
    /// <param name="path">The file to write.</param>
    /// <returns>What it holds, for the user.</returns>
    public string Write(
        ParseResult arguments, PretrainedWeights weights, string source, string network, PixelNormalization normalization, string path)
    {
        var (size, pool) = (arguments.GetValue(_size), arguments.GetValue(_pool)!);
        if (pool is not ("auto" or "mean" or "none") && !weights.Encoder.ClassToken)
            throw new JepaException($"--pool {pool}: the encoder of {weights.Path} has no class token. Leave it out, or give --pool mean.", true);
        var inside = arguments.GetValue(_normalize) == "inside";
        var texts = new Dictionary<string, string>
        {
            ["transform"] = arguments.GetValue(_transform)!,
            ["source"] = source,
            ["encoder"] = WeightsArguments.ShortName(network, weights),
        };
        if (weights.Objective is { } objective) texts["objective"] = objective;
        if (weights.Epoch is { } epoch) texts["epoch"] = epoch.ToString(CultureInfo.InvariantCulture);
        if (arguments.GetValue(_license) is { } license) texts["license"] = license;
        var options = new OnnxOptions
        {
            Pooling = Poolings[pool],
            NormalizesInside = inside,
            Side = size is null or "any" ? null : Number(size),
            TakesAnySize = size == "any",
            Texts = texts,
        };
        using var encoder = PretrainedNetworks.LoadEncoder(weights, network);
        var files = OnnxExport.Write(encoder, normalization, options, path);
        var shape = encoder.Shape;
        return $"{weights.TitleOf(network)}; {OnnxExport.Pixels} [batch, {shape.Channels}, {Sides(size, shape.ImageHeight, shape.ImageWidth)}], "
            + $"{(inside ? "from 0 to 1" : "normalised")} -> {OnnxExport.Features} {Outputs(options.Pooling, shape.Width)}"
            + (files.Count > 1 ? $"; weights in {files[1]}, which must stay beside it" : "");
    }

    private Option[] All => [_pool, _size, _normalize, _transform, _head, _license];

    private static string Sides(string? size, int height, int width) => size switch
    {
        null => $"{height}, {width}",
        "any" => "height, width",
        _ => $"{size}, {size}",
    };

    private static string Outputs(OnnxPooling pooling, int width) => pooling switch
    {
        OnnxPooling.Patches => $"[batch, patches, {width}]",
        OnnxPooling.SideBySide or OnnxPooling.Interleaved => $"[batch, {2 * width}]",
        _ => $"[batch, {width}]",
    };

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
