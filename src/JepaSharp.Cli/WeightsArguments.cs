using System.CommandLine;
using System.Globalization;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Cli;

/// <summary>The options that say which weights a verb uses: <c>--weights</c>, <c>--encoder</c> and <c>--heads</c>.</summary>
/// <param name="required">Whether a verb cannot do without.</param>
internal sealed class WeightsArguments(bool required = true)
{
    private readonly Option<string> _weights = new("--weights")
    {
        Description = "A run folder, a checkpoint, a .pth.tar or .safetensors file, or a Hugging Face folder.",
        Required = required,
        HelpName = "PATH",
    };

    private readonly Option<string?> _encoder = new("--encoder") { HelpName = "WHICH" };
    private readonly Option<int?> _heads = new("--heads")
    {
        Description = "Attention heads, where the file does not tell and the width is none of the usual.",
        HelpName = "N",
    };

    /// <summary>Adds them to a verb.</summary>
    public void AddTo(Command command, string aboutEncoder)
    {
        _encoder.Description = aboutEncoder;
        _heads.RequireAtLeast(1);
        foreach (var option in Options) command.Add(option);
    }

    /// <summary>All of them.</summary>
    public IReadOnlyList<Option> Options => [_weights, _encoder, _heads];

    /// <summary>The encoder that was asked for; null if nothing was said.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="weights">The weights that it is to be in.</param>
    /// <exception cref="JepaException">There is no such encoder in them.</exception>
    public string? EncoderAsked(ParseResult arguments, PretrainedWeights weights)
    {
        var asked = arguments.GetValue(_encoder);
        var name = asked switch { "target" => NetworkNames.TargetEncoder, "context" => NetworkNames.ContextEncoder, _ => asked };
        if (name is null || weights.Encoders.Contains(name)) return name;
        if (weights.Encoders.FirstOrDefault(encoder => ShortName(encoder, weights) == asked) is { } called) return called;
        var known = string.Join(", ", weights.Encoders.Select(encoder => ShortName(encoder, weights)));
        throw new JepaException($"--encoder {asked}: {weights.Path} has no such encoder. It has: {known}.", isUsage: true);
    }

    /// <summary>What the command line calls an encoder: I-JEPA's are "target" and "context", MAE's is "mae".</summary>
    internal static string ShortName(string network, PretrainedWeights weights) => network switch
    {
        NetworkNames.TargetEncoder => "target",
        NetworkNames.ContextEncoder when weights.Networks.Contains(NetworkNames.TargetEncoder) => "context",
        NetworkNames.ContextEncoder => weights.Objective ?? (weights.Architecture.ClassToken ? "class-token" : network),
        _ => network,
    };

    /// <summary>What <c>--weights</c> said.</summary>
    public string PathOf(ParseResult arguments) => arguments.GetValue(_weights)!;

    /// <summary>What the user called the weights: the name of a run's folder or of a file.</summary>
    public string NameGiven(ParseResult arguments) =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(arguments.GetValue(_weights)!)));

    /// <summary>Opens the weights.</summary>
    /// <exception cref="JepaException">There are none, they are damaged, or they need <c>--heads</c>.</exception>
    public PretrainedWeights Open(ParseResult arguments)
    {
        var weights = PretrainedWeights.Open(arguments.GetValue(_weights)!, arguments.GetValue(_heads));
        if (weights.Heads is not null) return weights;
        weights.Dispose();
        throw NeedsHeads(weights.Path);
    }

    /// <summary>Loads the encoder that was asked for, or the one there is.</summary>
    /// <exception cref="JepaException">As <see cref="Open"/>; or the file lacks the encoder.</exception>
    public LoadedEncoder LoadEncoder(ParseResult arguments, Device device)
    {
        using var weights = Open(arguments);
        var which = EncoderAsked(arguments, weights) ?? weights.Evaluated;
        var normalization = weights.Normalization ?? PixelNormalization.ImageNet;
        return new LoadedEncoder(PretrainedNetworks.LoadEncoder(weights, which, device), ShortName(which, weights), weights.Path, normalization)
        {
            Notes = weights.Normalization is null ? [Guessed] : [],
            Network = which,
        };
    }

    private const string Guessed =
        "the weights do not say how pixels were normalised: ImageNet's mean and deviation are used, as the published models were trained";

    /// <summary>What to tell a user whose weights do not say how many heads they have.</summary>
    public static JepaException NeedsHeads(string path) =>
        new($"{path} does not say how many attention heads its encoder has, and its width is none of the published models'. Give it: --heads N.",
            isUsage: true);
}

/// <summary>An encoder with what is known of it.</summary>
/// <param name="Encoder">The network.</param>
/// <param name="Name">"target", "context", or another objective's name for it.</param>
/// <param name="Path">The file it came from.</param>
/// <param name="Normalization">That of its training, or ImageNet's where the file does not say.</param>
internal sealed record LoadedEncoder(VisionTransformer Encoder, string Name, string Path, PixelNormalization Normalization) : IDisposable
{
    /// <summary>What was guessed, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Its name in the file.</summary>
    public string Network { get; init; } = "";

    /// <summary>Means and deviations as text.</summary>
    public string NormalizationText =>
        string.Join(' ', Normalization.Mean.Concat(Normalization.Deviation).Select(number => number.ToString("R", CultureInfo.InvariantCulture)));

    public void Dispose() => Encoder.Dispose();
}
