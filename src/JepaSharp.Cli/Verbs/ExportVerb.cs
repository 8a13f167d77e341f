using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa export</c>: hands weights over in the formats that others read.</summary>
internal sealed class ExportVerb : Verb
{
    private const string Safetensors = "safetensors", HuggingFace = "huggingface", Onnx = "onnx";

    private readonly WeightsArguments _weights = new();
    private readonly OnnxArguments _onnx = new();
    private readonly Option<string> _to = new("--to") { Description = "safetensors, huggingface or onnx.", Required = true, HelpName = "FORMAT" };
    private readonly Option<string> _out = new("--out")
    {
        Description = "A new file ending in .safetensors or .onnx, or a new folder for huggingface.",
        Required = true,
        HelpName = "PATH",
    };

    public ExportVerb()
        : base("export", "Writes weights as safetensors in the published names, as a Hugging Face folder, or as an ONNX file.")
    {
        _weights.AddTo(
            this, "target or context: this encoder alone. Without it: safetensors takes every network there is, the others the target encoder.");
        Add(_to);
        Add(_out);
        _onnx.AddTo(this);
        _to.AcceptOnlyFromAmong(Safetensors, HuggingFace, Onnx);
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var (path, format) = (arguments.GetValue(_out)!, arguments.GetValue(_to)!);
        if (format != Onnx) _onnx.RequireUnused(arguments, format);
        RequireFree(path, format);
        using var claim = OutputLock.Beside(path, "exporting weights to", makeFolder: format == HuggingFace);
        RequireFree(path, format); // between the first look and the lock, another process may have ended
        if (_onnx.WriteHead(arguments, _weights.PathOf(arguments), _weights.NameGiven(arguments), path) is { } together)
        {
            terminal.Out.WriteLine($"{path}: {together}");
            return ExitCode.Done;
        }

        using var weights = _weights.Open(arguments);
        var network = _weights.EncoderAsked(arguments, weights);
        var normalization = weights.Normalization ?? PixelNormalization.ImageNet;
        if (weights.Normalization is null)
            terminal.Error.WriteLine(
                "the weights do not say how pixels were normalised: ImageNet's mean and deviation are written, as the published models were trained");
        var written = format switch
        {
            HuggingFace => string.Join(", ", WeightsExport.ToHuggingFace(weights, network, normalization, path).Select(weights.TitleOf)),
            Safetensors => string.Join(", ", WeightsExport.ToSafetensors(weights, network, normalization, path).Select(weights.TitleOf)),
            _ => _onnx.Write(arguments, weights, _weights.NameGiven(arguments), network ?? weights.Evaluated, normalization, path),
        };
        terminal.Out.WriteLine($"{path}: {written}");
        return ExitCode.Done;
    }

    private static void RequireFree(string path, string format)
    {
        var toFolder = format == HuggingFace;
        if (File.Exists(path) || (Directory.Exists(path) && !(toFolder && !Directory.EnumerateFileSystemEntries(path).Any())))
            throw new JepaException($"{path} exists and is not overwritten. Delete it, or give another --out.", isUsage: true);
        if (!toFolder && !path.EndsWith($".{format}", StringComparison.OrdinalIgnoreCase))
            throw new JepaException($"{path} does not end in .{format}. Give such a name, or --to huggingface for a folder.", isUsage: true);
        if (format == Onnx && File.Exists(path + ".data"))
            throw new JepaException($"{path}.data exists and is not overwritten. Delete it, or give another --out.", isUsage: true);
    }
}
