using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Reports;
using JepaSharp.Data.Sources;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa inspect</c>: says what a path holds.</summary>
internal sealed class InspectVerb : Verb
{
    private readonly Argument<string> _path = new("PATH") { Description = "Images: anything that --data takes elsewhere." };
    private readonly Option<bool> _all = new("--all") { Description = "Decode every image, to find all that are broken." };

    public InspectVerb()
        : base("inspect", "Says what a set of images holds: counts, classes, sizes, formats, broken files.")
    {
        Add(_path);
        Add(_all);
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        using var source = ImageSources.Open(arguments.GetValue(_path)!);
        DataSetReport.Print(source, terminal, arguments.GetValue(_all), stop.Token);
        return ExitCode.Done;
    }
}
