using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa scenes</c>: writes rendered scenes with CLEVR's annotations.</summary>
internal sealed class ScenesVerb : Verb
{
    private readonly Option<string> _out = new("--out") { Description = "A new or empty folder.", Required = true, HelpName = "DIR" };
    private readonly Option<int> _count = new("--count") { Description = "How many scenes.", Required = true, HelpName = "N" };
    private readonly Option<int> _size = new("--size")
    {
        Description = "Side of the square pictures in pixels.",
        DefaultValueFactory = _ => 128,
        HelpName = "S",
    };
    private readonly Option<uint> _seed = new("--seed") { Description = "Which world of scenes.", DefaultValueFactory = _ => 0, HelpName = "K" };

    public ScenesVerb()
        : base("scenes", "Renders scenes of spheres, cubes and cylinders, with the annotations of CLEVR.")
    {
        foreach (var option in (Option[])[_out, _count, _size, _seed]) Add(option);
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var (folder, count, size) = (arguments.GetValue(_out)!, arguments.GetValue(_count), arguments.GetValue(_size));
        using var claim = OutputLock.Beside(folder, "rendering scenes into", makeFolder: true);
        var progress = new CountProgress(terminal, "rendering scenes", count);
        using var work = stop.WaitForWork(); // what was begun is removed
        try
        {
            SceneFolder.Write(folder, count, size, size, arguments.GetValue(_seed), threads: Environment.ProcessorCount, progress: progress,
                cancellation: stop.Token);
        }
        finally
        {
            progress.Finish();
        }

        terminal.Out.WriteLine(
            $"{Quantity.Of(count, "scene")} of {size}x{size} pixels in {Path.Combine(folder, SceneFolder.ImageFolder)}, what is in them in "
                + $"{Path.Combine(folder, SceneFolder.AnnotationFile)}");
        return ExitCode.Done;
    }
}
