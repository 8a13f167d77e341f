using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Reports;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa inspect</c>: what weights or a data set hold.</summary>
internal sealed class InspectVerb : Verb
{
    private readonly Argument<string> _path = new("PATH") { Description = "Weights (a run folder, a checkpoint, a .pth.tar, a .safetensors file, a Hugging Face folder), or images." };
    private readonly Option<int?> _heads = new("--heads") { Description = "Attention heads, where the weights do not tell.", HelpName = "N" };

    public InspectVerb()
        : base("inspect", "Says what weights or a data set hold, and warns of what is wrong with them.")
    {
        Add(_path);
        Add(_heads);
        _heads.RequireAtLeast(1);
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var path = arguments.GetValue(_path)!;
        if (!Path.Exists(path)) throw new JepaException($"{path}: there is nothing there. Give weights or images.", isUsage: true);
        if (PretrainedWeights.AreAt(path)) WeightsInspection.Print(path, arguments.GetValue(_heads), terminal);
        else ImagesInspection.Print(path, terminal);
        return ExitCode.Done;
    }
}
