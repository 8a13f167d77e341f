using System.CommandLine;
using JepaSharp.Cli.Display;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa report</c>: writes the page that shows a run.</summary>
internal sealed class ReportVerb : Verb
{
    private readonly Argument<string> _run = new("RUN") { Description = "The folder of a run of jepa pretrain." };
    private readonly Option<string?> _data = new("--data") { Description = "Images for the pictures; the run's own without it.", HelpName = "PATH" };
    private readonly Option<string?> _device = new("--device") { Description = "auto, cpu, cuda or cuda:N.", HelpName = "DEVICE" };

    public ReportVerb()
        : base("report", "Writes report.html into a run folder: curves, masks, feature maps, neighbours, checkpoints.")
    {
        Add(_run);
        foreach (var option in (Option[])[_data, _device]) Add(option);
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        terminal.Out.WriteLine(
            WrittenReport.Write(
                arguments.GetValue(_run)!, arguments.GetValue(_data), arguments.GetValue(_device), terminal, null, handsOver: false, stop.Token));
        return ExitCode.Done;
    }
}
