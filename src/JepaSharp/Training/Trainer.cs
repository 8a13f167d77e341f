using System.Diagnostics;
using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using JepaSharp.Training.Checkpoints;
using JepaSharp.Training.Progress;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>Measures the encoder that is handed over, after an epoch.</summary>
/// <param name="encoder">The encoder, not to be changed.</param>
/// <returns>Values by name, in the order to show them.</returns>
public delegate IReadOnlyDictionary<string, double> EpochMeasure(VisionTransformer encoder);

/// <summary>Trains an objective as a configuration says: loads, steps, reports and keeps checkpoints, until done or told to stop.</summary>
/// <remarks>Everything random is keyed by (seed, epoch or step, image), so that a run that stopped and resumed takes the steps that would have
/// come.</remarks>
public sealed class Trainer : IDisposable
{
    private readonly PretrainOptions _options;
    private readonly ImageLoader _loader;
    private readonly PixelScaling _scaling;
    private readonly Lazy<ImagesSeen> _seen;
    private readonly Lazy<IReadOnlyDictionary<string, string>?> _fixed;
    private readonly string _config, _precision;
    private readonly Collective _ranks;
    private IReadOnlyList<ImageUnreadableException> _unreadableElsewhere = [];
    private LossGuard? _guard;
    private int _skippedBefore;
    private bool _isResumed;

    /// <summary>Builds the objective that the configuration names, optimizer and loader; nothing is loaded or trained yet.</summary>
    /// <inheritdoc cref="Trainer(PretrainOptions, ImageSource, Objective, Device, Computation?, bool?, Collective?)"/>
    public Trainer(PretrainOptions options, ImageSource source, Device device, Computation? precision = null)
        : this(options, source, KnownObjectives.Create(new PretrainPlan(options), device), device, precision)
    {
    }

    /// <summary>Builds optimizer and loader for an objective; nothing is loaded or trained yet.</summary>
    /// <param name="options">Validated options.</param>
    /// <param name="source">The images; the caller keeps and disposes it.</param>
    /// <param name="objective">What is learned, on the device; taken over.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="precision">How the matrix products are computed; null for float32.</param>
    /// <param name="runsAhead">Whether the device is given the next step before this one's numbers are read; null for wherever it works while the
    /// host goes on.</param>
    /// <param name="ranks">The processes that train together, each with a trainer of its own: they share the micro-batches of a step. Null for one
    /// process alone.</param>
    /// <exception cref="JepaException">Data and options do not go together, or the ranks cannot share a step's micro-batches.</exception>
    public Trainer(
        PretrainOptions options, ImageSource source, Objective objective, Device device, Computation? precision = null,
        bool? runsAhead = null, Collective? ranks = null)
    {
        _ranks = ranks ?? Collective.Alone;
        var own = RankBatches.Of(options.Optimization.Accumulate, _ranks.Size);
        (_options, Source, Objective) = (options, source, objective);
        (_seen, _config) = (new Lazy<ImagesSeen>(() => ImagesSeen.Of(source)), RunPaths.Whole(options).ToYaml());
        _precision = (precision ?? ScalarType.Float32).Key;
        _fixed = new Lazy<IReadOnlyDictionary<string, string>?>(() => FixedNetworks(objective));
        Plan = new PretrainPlan(options);
        _loader = new ImageLoader(
            source, Plan.Loading(objective.Views) with { Rank = _ranks.Rank, WorldSize = _ranks.Size, BatchesInTurn = own });
        if (StepsPerEpoch == 0)
            throw new JepaException(
                $"An epoch has {_loader.BatchesPerEpoch} batches of {options.Data.BatchSize}, fewer than the {options.Optimization.Accumulate} that "
                    + $"one step accumulates. "
                + "Make data.batch_size or optimization.accumulate smaller.",
                isUsage: true);
        _scaling = Plan.Scaling(device);
        Step = new TrainingStep(
            objective, Plan.Schedules(_loader.BatchesPerEpoch),
            new StepSettings(precision, Plan.Optimizer, options.Optimization.CheckpointActivations, Plan.Seed, runsAhead) { Ranks = _ranks });
        Step.Meeting.Unreadable = () => _loader.UnreadableCount;
    }

    /// <summary>What the configuration means.</summary>
    public PretrainPlan Plan { get; }

    /// <summary>The images.</summary>
    public ImageSource Source { get; }

    /// <summary>What is learned.</summary>
    public Objective Objective { get; }

    /// <summary>One step, with everything that it changes.</summary>
    public TrainingStep Step { get; }

    /// <summary>Steps in an epoch.</summary>
    public int StepsPerEpoch => Plan.StepsPerEpoch(_loader.BatchesPerEpoch);

    /// <summary>Steps of the whole run.</summary>
    public long TotalSteps => Plan.TotalSteps(_loader.BatchesPerEpoch);

    /// <summary>The images that could not be read so far; after a run of several ranks, those of all.</summary>
    public IReadOnlyList<ImageUnreadableException> Unreadable => UnreadableReport.Joined(_loader.Unreadable, _unreadableElsewhere);

    /// <summary>Where the run stands.</summary>
    internal CheckpointState State => new(
        Step.State.StepCount, (int)(Step.State.StepCount / StepsPerEpoch), Source.Count, Step.State.OptimizerStart,
        _guard?.SkippedInARow ?? _skippedBefore)
    {
        Seen = _seen.Value,
        Config = _config,
        Precision = _precision,
        Fixed = _fixed.Value,
    };

    /// <summary>What a resumed run goes on with that is not what it was before, a sentence each.</summary>
    public IReadOnlyList<string> Changes { get; private set; } = [];

    /// <summary>Fingerprints of the networks that no checkpoint holds, by name; null where there are none.</summary>
    private static Dictionary<string, string>? FixedNetworks(Objective objective)
    {
        var elsewhere = objective.Networks.Where(n => !n.IsSaved).ToDictionary(n => n.Name, n => WeightsFingerprint.Of(n.Module));
        return elsewhere.Count == 0 ? null : elsewhere;
    }

    /// <summary>What is said of the weights in their file.</summary>
    internal Dictionary<string, string> Metadata
    {
        get
        {
            var (mean, std) = (_options.Data.Mean, _options.Data.Std);
            var normalization = new PixelNormalization([mean.Red, mean.Green, mean.Blue], [std.Red, std.Green, std.Blue]);
            var predictor = Objective.Networks.Select(n => n.Module).OfType<Predictor>().FirstOrDefault();
            var texts = WeightsMetadata.Describe(
                Objective.Encoder.Shape, predictor?.Shape, normalization, State.Epoch, _options.Data.Interpolation == ResampleFilter.Bicubic ? 3 : 2);
            foreach (var (key, text) in Objective.Facts) texts[key] = text;
            var evaluated = Objective.Networks.Single(n => ReferenceEquals(n.Module, Objective.Encoder)).Name;
            WeightsMetadata.DescribeObjective(texts, Objective.Name, Objective.Networks.Where(n => n.IsSaved).Select(n => n.Name), evaluated);
            texts["step"] = Step.State.StepCount.ToString(CultureInfo.InvariantCulture);
            return texts;
        }
    }

    /// <summary>Makes a folder a run: writes the checkpoint of step 0, then the configuration, so that whatever holds a run can be resumed.</summary>
    /// <param name="folder">A new run's folder.</param>
    /// <param name="config">The resolved configuration, YAML.</param>
    /// <exception cref="JepaException">The folder cannot be written.</exception>
    public void Begin(RunFolder folder, string config)
    {
        using var snapshot = CheckpointSnapshot.View(Step.State, State, Metadata);
        new CheckpointFolders(folder).WriteLatest(snapshot);
        folder.WriteConfig(config);
    }

    /// <summary>Goes back to where the newest complete checkpoint of a run was taken. A damaged one is passed over.</summary>
    /// <returns>What is damaged, and where the run goes on instead; empty where nothing is.</returns>
    /// <exception cref="JepaException">There is no whole checkpoint, or it is of another architecture, order of images or data set.</exception>
    public IReadOnlyList<string> Resume(RunFolder folder)
    {
        var newest = NewestCheckpoint.Of(folder);
        Changes = ResumedRun.Compare(newest.Path, CheckpointState.Read(newest.Path), State, Source, _loader.BatchesPerEpoch);
        _skippedBefore = TrainingCheckpoint.Restore(newest.Path, Step.State, Source.Count).SkippedInARow;
        _isResumed = true;
        return newest.Damaged.Count == 0
            ? []
            : [.. newest.Damaged, string.Create(
                CultureInfo.InvariantCulture, $"going on from the checkpoint before, of step {Step.State.StepCount:n0}: {newest.Path}")];
    }

    /// <summary>Begins with pretrained weights, and with the optimizer's state where they have it; before the first step.</summary>
    /// <returns>What was and what was not found in the weights, a sentence each.</returns>
    /// <exception cref="JepaException">They are of another architecture (lists how), incomplete, or not finite.</exception>
    public IReadOnlyList<string> StartFrom(PretrainedWeights weights) =>
        [.. StartingWeights.Apply(weights, Step.State), .. StartingWeights.OtherNormalization(weights, _options.Data)];

    /// <summary>Trains to the end, or until told to stop; leaves a checkpoint of the last step unless the numbers failed.</summary>
    /// <param name="folder">Where checkpoints go; null where none are kept.</param>
    /// <param name="observer">Is told everything that happens.</param>
    /// <param name="measure">Called after every <c>logging.evaluate_every</c> epochs; null for nothing.</param>
    /// <param name="stop">Stops after the step, or, where a step is long, between its parts: that step then does not count.</param>
    /// <exception cref="NumericalException">Loss or gradients are not finite, and no more steps may be skipped
    /// (<c>optimization.skip_non_finite</c>).</exception>
    /// <exception cref="JepaException">The last checkpoint cannot be written.</exception>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    /// <remarks>Of several ranks, each calls this: the first with folder and measure, the others without. All begin as the first stands. A stop asked
    /// of any stops all after the same step.</remarks>
    public RunEnd Run(RunFolder? folder, ITrainingObserver observer, EpochMeasure? measure = null, CancellationToken stop = default)
    {
        if (_ranks.Size == 1) return Train(folder, observer, measure, stop);
        RankState.Share(_ranks, Step.State, ref _skippedBefore);
        (Step.Meeting.Asked, Step.Meeting.Observer) = (stop, _ranks.IsFirst ? observer : null);
        Step.Meeting.AgreeOnStop();
        var end = Train(folder, observer, measure, Step.Meeting.Agreed);
        _unreadableElsewhere = RankImages.Unreadable(_ranks, _loader.Unreadable);
        return end;
    }

    private RunEnd Train(RunFolder? folder, ITrainingObserver observer, EpochMeasure? measure, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var store = folder is null ? null : new CheckpointStore(this, folder, _options.Logging, observer);
        _guard = new LossGuard(_options.Optimization.SkipNonFinite, _skippedBefore, observer);
        observer.OnStart(new RunPlan(
            ModelText(), _options.Optimization.Epochs, StepsPerEpoch, TotalSteps, Step.State.StepCount,
            _options.Data.BatchSize * _options.Optimization.Accumulate,
            Objective.Numbers));
        var outcome = RunOutcome.Failed;
        // Between the parts of a step one process may stop alone; several stop together, after it.
        Step.Stop = _ranks.Size == 1 ? stop : CancellationToken.None;
        try
        {
            // The process before may have ended between an epoch's checkpoint and its measures.
            if (_isResumed && Step.State.StepCount > 0 && Step.State.StepCount % StepsPerEpoch == 0)
                Measure(observer, measure, (int)(Step.State.StepCount / StepsPerEpoch));
            using var batches = BatchesToCome().GetEnumerator();
            using var runner = new StepRunner(
                Step, _options, new StepFeed(_options.Optimization.Accumulate / _ranks.Size, _scaling, Step.Clock), batches, _guard,
                (StepsPerEpoch, TotalSteps));
            while (Step.State.StepCount < TotalSteps && !stop.IsCancellationRequested) RunEpoch(runner, store, observer, measure, stop);
            store?.Finish();
            outcome = Step.State.StepCount >= TotalSteps ? RunOutcome.Completed : RunOutcome.Stopped;
        }
        finally
        {
            Step.Stop = CancellationToken.None;
            store?.Abandon();
            observer.OnEnd(new RunEnd(outcome, Step.State.StepCount, clock.Elapsed));
        }

        return new RunEnd(outcome, Step.State.StepCount, clock.Elapsed);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Step.Dispose();
        Objective.Dispose();
        _scaling.Dispose();
    }

    /// <summary>The batches from where the run stands to its end, in one stream over all epochs.</summary>
    private IEnumerable<ViewBytes> BatchesToCome()
    {
        var accumulate = _options.Optimization.Accumulate;
        var epoch = (int)(Step.State.StepCount / StepsPerEpoch);
        var iteration = (int)(Step.State.StepCount % StepsPerEpoch);
        return _loader.Epochs(epoch, iteration * accumulate, StepsPerEpoch * accumulate, Math.Max(0, TotalSteps - Step.State.StepCount) * accumulate);
    }

    private void RunEpoch(StepRunner runner, CheckpointStore? store, ITrainingObserver observer, EpochMeasure? measure, CancellationToken stop)
    {
        var epoch = (int)(Step.State.StepCount / StepsPerEpoch);
        var iteration = (int)(Step.State.StepCount % StepsPerEpoch);
        while (iteration < StepsPerEpoch && Step.State.StepCount < TotalSteps && !stop.IsCancellationRequested)
        {
            StepReport report;
            try
            {
                report = runner.Run(stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return; // a long step is left between its parts, before anything changed; whoever resumes takes it anew
            }

            iteration++;
            RankImages.RequireReadable(_ranks, Step.Meeting.UnreadableOnAll, _options.Data, Source);
            using (Step.Clock.Measure("logs and monitors")) observer.OnStep(report);
            using (Step.Clock.Measure("checkpoints, until copied")) store?.AfterStep(iteration == StepsPerEpoch ? epoch + 1 : null);
        }

        if (iteration != StepsPerEpoch) return;
        Measure(observer, measure, epoch + 1);
        Step.Meeting.AgreeOnStop(); // while the first measured, the others waited
    }

    private void Measure(ITrainingObserver observer, EpochMeasure? measure, int epochs)
    {
        using var timed = Step.Clock.Measure("measures between epochs");
        if (measure is null || _options.Logging.EvaluateEvery is not { } every || epochs % every != 0) return;
        IReadOnlyDictionary<string, double> measures;
        try
        {
            measures = measure(Objective.Encoder);
        }
        catch (OperationCanceledException)
        {
            return; // a stop: taken when the run is gone on with
        }

        observer.OnMeasures(epochs, Step.State.StepCount, measures);
    }

    private string ModelText()
    {
        var encoder = Objective.Encoder.Shape;
        var predictor = Objective.Networks.Select(n => n.Module).OfType<Predictor>().FirstOrDefault()?.Shape;
        var decoder = Objective.Networks.Select(n => n.Module).OfType<PixelDecoder>().FirstOrDefault()?.Shape;
        var model = Objective.ChangesItsEncoder ? _options.Meta.ModelName : "a frozen encoder";
        return $"{Objective.Name} of {model} ({encoder.Width} wide, {encoder.Depth} blocks, {encoder.Heads} heads, patch "
            + $"{encoder.PatchSize}"
            + (predictor is null ? "" : $", predictor {predictor.Width} wide, {predictor.Depth} blocks")
            + (decoder is null ? "" : $", decoder {decoder.Width} wide, {decoder.Depth} blocks")
            + (predictor?.Outputs is null ? ")" : ", of pixels)");
    }
}
