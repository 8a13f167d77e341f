using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Reports;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa inspect</c>: what weights or a data set hold.</summary>
internal sealed class InspectVerb : Verb
{
    private readonly Argument<string> _path = new("PATH")
    {
        Description = "Weights (a run folder, a checkpoint, a .pth.tar, a .safetensors file, a Hugging Face folder), or images: anything that "
            + "--data takes elsewhere.",
    };

    private readonly Option<int?> _heads = new("--heads") { Description = "Attention heads, where the weights do not tell.", HelpName = "N" };
    private readonly Option<bool> _all = new("--all") { Description = "Decode every image, to find all that are broken." };

    private readonly MemoryOption _memory = new();

    public InspectVerb()
        : base("inspect", "Says what weights, a data set or a head hold, and warns of what is wrong with them.")
    {
        Add(_path);
        Add(_heads);
        Add(_all);
        Add(_memory);
        _heads.RequireAtLeast(1);
    }

    public override bool PrintsItsResult(ParseResult arguments) => true;

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        _memory.Bound(arguments);
        var path = arguments.GetValue(_path)!;
        if (File.Exists(Path.Combine(HomePath.Expand(path), HeadFolder.RecordName)))
        {
            HeadInspection.Print(path, terminal);
            return ExitCode.Done;
        }

        if (PretrainedWeights.AreAt(path))
        {
            WeightsInspection.Print(path, arguments.GetValue(_heads), terminal);
            return ExitCode.Done;
        }

        using var source = ImageSources.Open(path);
        DataSetReport.Print(source, terminal, arguments.GetValue(_all), stop.Token);
        return ExitCode.Done;
    }
}
