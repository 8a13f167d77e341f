using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa export</c>: hands weights over in the formats that others read.</summary>
internal sealed class ExportVerb : Verb
{
    private readonly WeightsArguments _weights = new();
    private readonly Option<string> _to = new("--to") { Description = "safetensors or huggingface.", Required = true, HelpName = "FORMAT" };
    private readonly Option<string> _out = new("--out")
    {
        Description = "A new file ending in .safetensors, or a new folder for huggingface.",
        Required = true,
        HelpName = "PATH",
    };

    public ExportVerb()
        : base("export", "Writes weights as safetensors in the published names, or as a Hugging Face folder.")
    {
        _weights.AddTo(
            this, "target or context: this encoder alone. Without it: safetensors takes every network there is, huggingface the target encoder.");
        Add(_to);
        Add(_out);
        _to.AcceptOnlyFromAmong("safetensors", "huggingface");
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var path = arguments.GetValue(_out)!;
        var toFolder = arguments.GetValue(_to) == "huggingface";
        RequireFree(path, toFolder);
        using var claim = OutputLock.Beside(path, "exporting weights to", makeFolder: toFolder);
        RequireFree(path, toFolder); // between the first look and the lock, another process may have ended
        using var weights = _weights.Open(arguments);
        var network = _weights.EncoderAsked(arguments, weights);
        var normalization = weights.Normalization ?? PixelNormalization.ImageNet;
        if (weights.Normalization is null)
            terminal.Error.WriteLine(
                "the weights do not say how pixels were normalised: ImageNet's mean and deviation are written, as the published models were trained");
        var written = toFolder ? WeightsExport.ToHuggingFace(weights, network, normalization, path) : WeightsExport.ToSafetensors(
            weights, network, normalization, path);
        terminal.Out.WriteLine($"{path}: {string.Join(", ", written.Select(weights.TitleOf))}");
        return ExitCode.Done;
    }

    private static void RequireFree(string path, bool toFolder)
    {
        if (File.Exists(path) || (Directory.Exists(path) && !(toFolder && !Directory.EnumerateFileSystemEntries(path).Any())))
            throw new JepaException($"{path} exists and is not overwritten. Delete it, or give another --out.", isUsage: true);
        if (!toFolder && !path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            throw new JepaException($"{path} does not end in .safetensors. Give such a name, or --to huggingface for a folder.", isUsage: true);
    }
}
