using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Ranks;
using JepaSharp.Cli.Reports;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa embed</c>: what an encoder makes of images, as a file.</summary>
internal sealed class EmbedVerb : Verb
{
    private const int Shown = 5;

    private readonly WeightsArguments _weights = new();
    private readonly Option<string> _data = new("--data")
    {
        Description = "The images: a folder, a list, an archive or a data set.",
        Required = true,
        HelpName = "PATH",
    };
    private readonly Option<string> _out = new("--out")
    {
        Description = "A new file ending in .safetensors, .npy, .csv or .parquet.",
        Required = true,
        HelpName = "FILE",
    };
    private readonly Option<string> _pool = new("--pool")
    {
        Description = "mean: the average over an image's patches; class: its class token; class-unnormed: that before the final norm; class-mean: "
            + "both, side by side; interleaved: both, number by number; none: every patch; auto: the class token where there is one, else the "
            + "average.",
        DefaultValueFactory = _ => "auto",
        HelpName = "POOL",
    };
    private readonly Option<string> _layers = new("--layers")
    {
        Description = "last; last4: the last four blocks side by side; or last4-normed: each of them through the final norm, as DINO and iBOT are "
            + "probed.",
        DefaultValueFactory = _ => "last",
        HelpName = "LAYERS",
    };
    private readonly Option<int?> _size = new("--size")
    {
        Description = "Side of the square images in pixels; that of the training if not given.",
        HelpName = "N",
    };
    private readonly Option<string> _transform = new("--transform")
    {
        Description = "paper: resize, then cut out the centre; squash: the whole image, as Hugging Face.",
        DefaultValueFactory = _ => "paper",
        HelpName = "HOW",
    };
    private readonly Option<int> _batch = new("--batch") { Description = "Images a pass.", DefaultValueFactory = _ => 32, HelpName = "N" };
    private readonly Option<string> _device = new("--device")
    {
        Description = "auto, cpu, cuda or cuda:N.",
        DefaultValueFactory = _ => "auto",
        HelpName = "DEVICE",
    };
    private readonly Option<string> _precision = new("--precision")
    {
        Description = "fp32, bf16, or auto (by measuring).",
        DefaultValueFactory = _ => "fp32",
        HelpName = "PRECISION",
    };

    private readonly MemoryOption _memory = new();

    public EmbedVerb()
        : base("embed", "Writes what an encoder makes of images: one vector for each, or for each of its patches.")
    {
        _weights.AddTo(this, "Which encoder to use: target or context.");
        foreach (var option in (Option[])[_data, _out, _pool, _layers, _size, _transform, _batch, _device, _precision, _memory]) Add(option);
        _pool.AcceptOnlyFromAmong("auto", "mean", "class", PoolOption.Unnormed, PoolOption.SideBySide, PoolOption.Interleaved, "none");
        _layers.AcceptOnlyFromAmong("last", "last4", PoolOption.LastNormed);
        _transform.AcceptOnlyFromAmong("paper", "squash");
        _precision.AcceptOnlyFromAmong("auto", "fp32", "bf16");
        _batch.RequireAtLeast(1);
        _size.RequireAtLeast(1);
    }

    public override bool SharesItsWork => true;

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop) =>
        RankedWork.Run((ranks, own) => Run(arguments, ranks, own, stop), terminal, stop);

    private int Run(ParseResult arguments, Collective ranks, Terminal terminal, StopSignals stop)
    {
        using var work = ranks.Size > 1 ? stop.WaitForWork() : null;
        _memory.Bound(arguments);
        // What can be checked without work comes first.
        var paths = EmbeddingPaths.Of(arguments.GetValue(_out)!);
        using var claim = ranks.IsFirst ? paths.Claim() : null;
        using var source = ImageSources.Open(arguments.GetValue(_data)!);
        SourceNotes.Print(source, terminal);
        var device = TorchBackend.ChooseDevice(arguments.GetValue(_device)!);
        using var loaded = _weights.LoadEncoder(arguments, device);
        foreach (var note in loaded.Notes) terminal.Error.WriteLine("note: " + note);
        RankDevices.RequireAlike(ranks, device.type == TorchSharp.DeviceType.CUDA ? "cuda" : "cpu");
        var precision = SharedComputation.Of(
            ranks, device, () => ComputationChoice.For(arguments.GetValue(_precision)!, device, loaded.Encoder.Shape, trained: false));
        loaded.Encoder.ComputeIn(precision.Computation);
        var size = arguments.GetValue(_size) ?? Math.Min(loaded.Encoder.Shape.ImageHeight, loaded.Encoder.Shape.ImageWidth);
        using var scaling = new PixelScaling([.. loaded.Normalization.Mean], [.. loaded.Normalization.Deviation], device);
        var request = new EmbeddingRequest
        {
            Encoder = loaded.Encoder,
            Source = source,
            Address = arguments.GetValue(_data),
            Scaling = scaling,
            Transform = arguments.GetValue(_transform) == "squash" ? EvaluationTransform.Squash(size) : EvaluationTransform.CenterCrop(size),
            Output = PoolOption.Apply(
                new EncoderOutput(arguments.GetValue(_layers) == "last" ? 1 : 4, arguments.GetValue(_pool) != "none")
                {
                    NormsEach = arguments.GetValue(_layers) == PoolOption.LastNormed,
                },
                arguments.GetValue(_pool)!, loaded),
            BatchSize = arguments.GetValue(_batch),
            Facts = new Dictionary<string, string>
            {
                ["encoder"] = loaded.Name,
                ["precision"] = precision.Name,
                ["normalization"] = loaded.NormalizationText
            },
        };
        if (!ranks.IsFirst)
        {
            EmbeddingJob.Follow(ranks, request, stop.Token);
            return stop.Token.IsCancellationRequested ? stop.ExitCode : ExitCode.Done;
        }

        using var job = new EmbeddingJob(request, paths, claim, ranks);
        terminal.Error.WriteLine(
            $"embedding {Quantity.Of(source.Count, "image")} of {source.Description} with the {loaded.Name} encoder of {loaded.Path}, "
                + $"{size}x{size} pixels, {precision.Reason}");
        if (job.AlreadyDone > 0) terminal.Error.WriteLine($"going on after image {job.AlreadyDone:n0} of an earlier run");
        return Report(Embed(job, source, terminal, stop), source, paths, terminal, stop);
    }

    private static EmbeddingResult Embed(EmbeddingJob job, ImageSource source, Terminal terminal, StopSignals stop)
    {
        var progress = new RateProgress(terminal, "embedding", "images", source.Count, job.AlreadyDone);
        using var announced = stop.Token.Register(() => terminal.Error.WriteLine("stopping after this batch; press Ctrl-C again to leave at once"));
        try
        {
            return job.Run(progress, stop.Token);
        }
        finally
        {
            progress.Finish();
        }
    }

    private static int Report(EmbeddingResult result, ImageSource source, EmbeddingPaths paths, Terminal terminal, StopSignals stop)
    {
        // What an earlier part of the job left out is known by its number alone.
        var unreadable = result.Finished ? source.Count - (int)result.Images : result.Unreadable.Count;
        if (LeftOutImages.Of("images", unreadable, source.Count, result.Unreadable is [var first, ..] ? first.Name : null) is { } leftOut)
            terminal.Error.WriteLine("note: " + leftOut.Sentence);
        foreach (var image in result.Unreadable.Take(Shown)) terminal.Error.WriteLine($"  {image.Message}");
        if (result.Unreadable.Count > Shown) terminal.Error.WriteLine($"  and {result.Unreadable.Count - Shown:n0} more");
        if (!result.Finished)
        {
            terminal.Error.WriteLine($"stopped after {Quantity.Of(result.Images, "image")}; the same command goes on from there");
            return stop.Token.IsCancellationRequested ? stop.ExitCode : ExitCode.Done; // another rank was asked, and knows how
        }

        terminal.Out.WriteLine($"{paths.Output}: {Quantity.Of(result.Images, "image")}, float32 [{string.Join(", ", result.Shape)}]");
        if (paths.Index is { } index) terminal.Out.WriteLine($"{index}: the name, label and class of each row");
        return ExitCode.Done;
    }
}
