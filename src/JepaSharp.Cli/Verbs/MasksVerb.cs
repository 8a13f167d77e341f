using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Reports;
using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Objectives;
using JepaSharp.Pictures;
using JepaSharp.Runs;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa masks</c>: what the model will be asked, as a picture.</summary>
internal sealed class MasksVerb : Verb
{
    private readonly Argument<string?> _config = new("CONFIG") { Description = "A YAML configuration.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _data = new("--data")
    {
        Description = "Images to draw on. Without it: rendered scenes, built in.",
        HelpName = "PATH",
    };
    private readonly Option<string> _out = new("--out") { Description = "The picture to write.", Required = true, HelpName = "FILE.png" };
    private readonly Option<int> _count = new("--count") { Description = "How many images.", DefaultValueFactory = _ => 6, HelpName = "N" };
    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Set a configuration key; may be repeated.",
        HelpName = "SECTION.KEY=VALUE",
    };

    public MasksVerb()
        : base("masks", "Draws images with their context and their targets.")
    {
        Add(_config);
        foreach (var option in (Option[])[_data, _out, _count, _set]) Add(option);
        _out.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !token.Value.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
                result.AddError($"--out {token.Value}: the picture is a PNG; expected a name ending in .png.");
        });
        _count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1) result.AddError("--count: expected at least 1.");
        });
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        // Masks are the same however long a run is, so that nothing need be timed.
        var config = arguments.GetValue(_config);
        string[] length = config is null ? [$"meta.objective={ImageJepa.ShortName}", "optimization.epochs=1", "optimization.warmup=0"] : [];
        var sets = arguments.GetValue(_set) ?? [];
        var setup = RunSetup.Of(config, arguments.GetValue(_data), [.. length, .. sets]);
        using var source = setup.Source;
        var objective = setup.Options.Meta.Objective;
        if (objective is LeJepa.ShortName or Dino.ShortName or MaskedSiamese.ShortName or Distillation.ShortName or Rcdm.ShortName)
            throw new JepaException(
                $"{objective} asks nothing of what a mask hides; expected an objective that predicts what masks hide, such as "
                    + $"{ImageJepa.ShortName}. A run's report.html shows its views.", isUsage: true);
        if (objective is Data2Vec.ShortName or Ibot.ShortName)
            throw new JepaException(
                $"{objective} masks another number of patches in each image; expected an objective with masks of one length, such as "
                    + $"{ImageJepa.ShortName}. A run's report.html shows its masks.", isUsage: true);
        SourceNotes.Print(source, terminal);
        var count = Math.Min(arguments.GetValue(_count), source.Count);
        var plan = new PretrainPlan(setup.Options);
        var loader = new ImageLoader(source, plan.Loading([plan.ImageJepa.View]) with { BatchSize = count, Threads = 1 });
        var batch = loader.Epoch(0, cancellation: stop.Token).First().Single();
        var (masks, note) = Drawn(plan, batch.Indices, count);
        var path = Path.GetFullPath(arguments.GetValue(_out)!);
        Write(path, MaskSheet.Draw([.. Images(batch)], masks));
        terminal.Out.WriteLine(
            $"{path}: {count} crops of {setup.Options.Data.CropSize} pixels, a grid of {masks.Grid}; {Counted(masks.ContextBlocks, "context")} of "
                + $"{masks.ContextLength} patches, {Counted(masks.TargetBlocks, "target")} of {masks.TargetLength}"
            + note);
        if (config is null && arguments.GetValue(_data) is not null && !sets.Any(s => s.StartsWith("meta.objective=", StringComparison.Ordinal)))
            terminal.Out.WriteLine(
                $"masks of {ImageJepa.ShortName}; where no objective is said, jepa pretrain learns such images by {FolderRecipe.Objective} on a CPU: "
                    + $"--set meta.objective={FolderRecipe.Objective} draws its masks");
        return ExitCode.Done;
    }

    /// <summary>The masks of the first step, and what is to be said of them.</summary>
    private static (MaskBatch Masks, string Note) Drawn(PretrainPlan plan, IReadOnlyList<int> indices, int count)
    {
        var options = plan.Options;
        if (options.Meta.Objective == MaskedAutoencoder.ShortName)
        {
            using var objective = new MaskedAutoencoder(plan.MaskedAutoencoder, TorchSharp.torch.META);
            var drawn = objective.DrawMasks(indices, Step.Untracked(plan.Seed));
            return (drawn.ToBlocks(new PatchGrid(plan.Encoder.GridHeight, plan.Encoder.GridWidth)), "");
        }

        // As short as in training: cut with as many others as there.
        var together = Math.Max(count, options.Mask.ImagesPerLength ?? options.Data.BatchSize);
        var masks = new MaskSampler(plan.Masking).Sample(
            plan.Seed, 0, [.. indices.Select(i => (long)i)], MaskGroups.Unseen(together - count));
        return (masks, $"; as in training, all contexts are cut to the shortest of {together} images");
    }

    private static string Counted(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    private static IEnumerable<RgbImage> Images(ImageBatch batch)
    {
        var bytes = batch.Height * batch.Width * 3;
        for (var i = 0; i < batch.Count; i++) yield return new RgbImage(batch.Width, batch.Height, batch.Pixels.AsSpan(i * bytes, bytes).ToArray());
    }

    private static void Write(string path, RgbImage picture)
    {
        try
        {
            File.WriteAllBytes(path, picture.ToPng());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException(
                $"{path} cannot be written: {e.Message} Give a file in a folder that exists and that you may write to.", inner: e);
        }
    }
}
