using System.CommandLine;
using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Reports;
using JepaSharp.Data.Sources;
using JepaSharp.Runs.Visualization;
using JepaSharp.Runtime;
using JepaSharp.Training.Progress;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa visualize</c>: what the predictor knows, as pictures.</summary>
internal sealed class VisualizeVerb : Verb
{
    private readonly Option<string> _weights = new("--weights")
    {
        Description = "An I-JEPA with its predictor: a run folder, a checkpoint, a published .pth.tar or a .safetensors file.",
        Required = true,
        HelpName = "PATH",
    };
    private readonly Option<string> _data = new("--data")
    {
        Description = "The images: decoders learn from them.",
        Required = true,
        HelpName = "PATH",
    };
    private readonly Option<string?> _test = new("--test")
    {
        Description = "The images to draw. Without it: some of the others, which no decoder then learns from.",
        HelpName = "PATH",
    };
    private readonly Option<string?> _out = new("--out")
    {
        Description = "Where decoders, pictures and page are kept. Without it: visualize in the run, or a folder beside the file of weights.",
        HelpName = "FOLDER",
    };
    private readonly Option<double> _minutes = new("--minutes")
    {
        Description = "How long each decoder learns, where it does not exist yet; there are two, with --measure four.",
        DefaultValueFactory = _ => 30,
        HelpName = "N",
    };
    private readonly Option<int> _images = new("--images") { Description = "Images in the figure.", DefaultValueFactory = _ => 8, HelpName = "N" };
    private readonly Option<int> _samples = new("--samples")
    {
        Description = "Pictures drawn from each representation.",
        DefaultValueFactory = _ => 4,
        HelpName = "N",
    };
    private readonly Option<int> _size = new("--size")
    {
        Description = "Side of what is drawn, in pixels: a multiple of 4.",
        DefaultValueFactory = _ => 32,
        HelpName = "N",
    };
    private readonly Option<bool> _measure = new("--measure")
    {
        Description = "Measure, too, whether the predictor says more of a block than the context alone does, with controls.",
    };
    private readonly Option<int> _blocks = new("--blocks")
    {
        Description = "Blocks that --measure compares, one an image.",
        DefaultValueFactory = _ => 200,
        HelpName = "N",
    };
    private readonly Option<int> _seed = new("--seed")
    {
        Description = "Of blocks, weights and noise.",
        DefaultValueFactory = _ => 0,
        HelpName = "N",
    };
    private readonly Option<int?> _heads = new("--heads")
    {
        Description = "Attention heads, where the file does not tell and the width is none of the usual.",
        HelpName = "N",
    };
    private readonly Option<string> _device = new("--device")
    {
        Description = "auto, cpu, cuda or cuda:N.",
        DefaultValueFactory = _ => "auto",
        HelpName = "DEVICE",
    };

    private readonly MemoryOption _memory = new();

    public VisualizeVerb()
        : base("visualize", "Draws what the predictor says of hidden blocks: figure 6 of the paper, with a decoder that it trains.")
    {
        foreach (var option in (Option[])[
            _weights, _data, _test, _out, _minutes, _images, _samples, _size, _measure, _blocks, _seed, _heads, _device, _memory]) Add(option);
        foreach (var (option, least) in ((Option, int)[])[(_images, 1), (_samples, 2), (_blocks, 2), (_seed, 0), (_heads, 1)])
            option.RequireAtLeast(least);
        _minutes.Validators.Add(result =>
        {
            if (result.Tokens is [_] && !(result.GetValueOrDefault<double>() is > 0 and < 1e6)) result.AddError("--minutes: expected more than 0.");
        });
        _size.Validators.Add(result =>
        {
            if (result.Tokens is [_] && result.GetValueOrDefault<int>() is var size && (size is < 8 or > 512 || size % 4 != 0))
                result.AddError("--size: expected a multiple of 4 from 8 to 512.");
        });
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        _memory.Bound(arguments);
        using var source = ImageSources.Open(arguments.GetValue(_data)!);
        SourceNotes.Print(source, terminal);
        using var test = arguments.GetValue(_test) is { } path ? ImageSources.Open(path) : null;
        if (test is not null) SourceNotes.Print(test, terminal);
        using var visualization = PredictorVisualization.Open(new VisualizationRequest
        {
            Weights = arguments.GetValue(_weights)!,
            Heads = arguments.GetValue(_heads),
            Source = source,
            Data = arguments.GetValue(_data)!,
            Test = test,
            Folder = arguments.GetValue(_out),
            Minutes = arguments.GetValue(_minutes),
            Images = arguments.GetValue(_images),
            Samples = arguments.GetValue(_samples),
            Size = arguments.GetValue(_size),
            Blocks = arguments.GetValue(_measure) ? arguments.GetValue(_blocks) : null,
            Seed = arguments.GetValue(_seed),
            Device = TorchBackend.ChooseDevice(arguments.GetValue(_device)!),
        });
        foreach (var line in visualization.Opening) terminal.Error.WriteLine(line);
        using var announced = stop.Token.Register(() => terminal.Error.WriteLine("stopping; press Ctrl-C again to leave at once"));
        try
        {
            var result = visualization.Run(new Shown(terminal), stop.Token);
            foreach (var said in result.Said) terminal.Out.WriteLine(said);
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"figure {result.Figure}"));
            terminal.Out.WriteLine($"numbers {result.Numbers}");
            terminal.Out.WriteLine($"page {result.Page}");
            return ExitCode.Done;
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            terminal.Error.WriteLine($"stopped; what is done lies in {visualization.Folder}, and the same command goes on from there");
            return stop.ExitCode;
        }
    }

    private sealed class Shown(Terminal terminal) : IVisualizationListener
    {
        public void Say(string text) => terminal.Error.WriteLine(text);

        public IProgress<int> Begin(string doing, string things, int total) => new Ending(new RateProgress(terminal, doing, things, total, 0));

        public ITrainingObserver Training(string doing)
        {
            terminal.Error.WriteLine($"training {doing}");
            return new ConsoleProgress(terminal, plainInterval: TimeSpan.FromSeconds(30));
        }
    }

    private sealed class Ending(RateProgress rate) : IProgress<int>, IDisposable
    {
        public void Report(int value) => rate.Report(value);

        public void Dispose() => rate.Finish();
    }
}
