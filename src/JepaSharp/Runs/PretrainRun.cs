using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Models.Accelerated;
using JepaSharp.Monitoring;
using JepaSharp.Objectives;
using JepaSharp.Reports;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using JepaSharp.Training;
using JepaSharp.Training.Checkpoints;
using JepaSharp.Training.Progress;
using JepaSharp.Weights;
using TorchSharp;

namespace JepaSharp.Runs;

/// <summary>A whole run in a folder: images, objective, trainer, records, monitors and probes. What <c>jepa pretrain</c> does, for
/// programs.</summary>
public sealed class PretrainRun : IDisposable
{
    private readonly RunSetup _setup;
    private readonly torch.Device _device;
    private readonly ComputationChoice _computation;
    private readonly bool _isResumed;
    private readonly LookBudget _budget;
    private readonly RunProbe? _probe;
    private readonly HashSet<string> _said = [];

    private PretrainRun(
        RunSetup setup, RunFolder folder, Objective? objective, PretrainOptions kept, PretrainedWeights? init, bool isResumed, Collective? ranks)
    {
        ranks ??= Collective.Alone;
        var options = setup.Options;
        (_setup, Folder, _isResumed) = (setup, folder, isResumed);
        _device = TorchBackend.ChooseDevice(options.Meta.Device);
        objective ??= KnownObjectives.Create(new PretrainPlan(options), _device);
        var asked = options.Meta.ResolvePrecision();
        _computation = (isResumed ? ComputationChoice.AsBefore(CheckpointState.PrecisionOf(folder), asked, _device) : null)
            ?? ComputationChoice.For(asked, _device, objective.Encoder.Shape, trained: true);
        Trainer = new Trainer(options, setup.Source, objective, _device, _computation.Computation, ranks: ranks);
        try
        {
            List<string> found = init is null ? [] : [$"beginning with {init.Path}", .. Trainer.StartFrom(init).Select(f => "  " + f)];
            _budget = BudgetOf(kept);
            // Before the folder becomes a run: a mistake in the test images must not leave one behind.
            _probe = ProbeOf(options);
            IReadOnlyList<string> damage = [];
            if (isResumed) damage = Trainer.Resume(folder);
            else Trainer.Begin(folder, RunPaths.Whole(kept).ToYaml());
            Opening =
            [
                .. setup.Reasons.Select(r => "chosen: " + r), .. found,
                $"training on {setup.Source.Description}, {(_device.type == DeviceType.CUDA ? _device.ToString() : "CPU")}, "
                    + $"{_computation.Name} ({_computation.Reason})",
                .. DescribeRanks(ranks, options),
                .. Trainer.Objective.Describe(options.Data.BatchSize, options.Optimization.Accumulate, Trainer.Plan.Seed),
                $"run folder {folder.Path}",
                .. damage.Concat(setup.Notes).Concat(Trainer.Changes).Concat(WriteMachine()).Concat(LeftOut()).Select(n => "note: " + n),
            ];
            RunBrief.Tell(ranks, options, _computation.Computation, _device, setup.Source);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The trainer, with the objective and everything that a step changes.</summary>
    public Trainer Trainer { get; }

    /// <summary>Where the run is kept.</summary>
    public RunFolder Folder { get; }

    /// <summary>The images.</summary>
    public ImageSource Source => _setup.Source;

    /// <summary>Labelled images of their own that are scored on; null where there are none.</summary>
    public ImageSource? Test => _probe?.Test;

    /// <summary>What was chosen, found and guessed, a line each.</summary>
    public IReadOnlyList<string> Opening { get; } = [];

    /// <summary>Images that a report may look at, so that it stays a share of this process's work.</summary>
    public double ImagesForAReport => _budget.Afterwards;

    /// <summary>Time that the monitors have taken so far.</summary>
    public TimeSpan MonitorTime { get; private set; }

    /// <summary>Begins a run in a new folder.</summary>
    /// <param name="setup">Options and images; taken over.</param>
    /// <param name="folder">A folder that does not exist or is empty; null for <c>runs/DATE-TIME-MODEL</c>.</param>
    /// <param name="init">Weights to begin with; null for random ones.</param>
    /// <param name="objective">What is learned, taken over; null for what the options name.</param>
    /// <param name="kept">The options that the folder keeps, where this process is to take fewer steps; null for the same.</param>
    /// <param name="ranks">The processes that train together, of which this is the first; the others: <see cref="FollowedRun"/>. Null for one
    /// alone.</param>
    /// <exception cref="JepaException">Options, images, weights or folder do not do.</exception>
    public static PretrainRun Start(
        RunSetup setup, string? folder = null, PretrainedWeights? init = null, Objective? objective = null, PretrainOptions? kept = null,
        Collective? ranks = null)
    {
        ArgumentNullException.ThrowIfNull(setup);
        var options = setup.Options;
        // The output first: a place that cannot be written should not cost the time of everything before it.
        return Opened(
            setup, () => RunFolder.Create(folder ?? options.Logging.Folder ?? RunFolder.DefaultPath(options.Meta.ModelName)), objective,
            kept ?? options, init, isResumed: false, ranks);
    }

    /// <summary>Goes on with a run from its newest whole checkpoint, to the bit.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="lasting">Settings that the run keeps from now on, each <c>section.key=value</c>, such as more epochs; null for none.</param>
    /// <param name="passing">Settings of this process alone; null for none.</param>
    /// <param name="objective">What is learned, taken over; null for what the options name.</param>
    /// <param name="given">Whether <paramref name="lasting"/> says where the images are now.</param>
    /// <param name="ranks">As for <see cref="Start"/>; as many as divide the micro-batches of a step, whatever it began with.</param>
    /// <exception cref="JepaException">There is no run, no whole checkpoint, or what it would go on with is something else.</exception>
    public static PretrainRun Resume(
        string folder, IReadOnlyList<string>? lasting = null, IReadOnlyList<string>? passing = null, Objective? objective = null, bool given = false,
        Collective? ranks = null)
    {
        if (!RunFolder.HoldsRun(folder))
            throw new JepaException(
                $"There is no run to resume in {Path.GetFullPath(folder)}: it holds no config.yaml. Give the folder of an earlier run.",
                isUsage: true);
        var config = Path.Combine(folder, "config.yaml");
        if (new FileInfo(config).Length == 0)
        {
            throw new JepaException(
                $"{Path.GetFullPath(config)} is empty, so what to train on is not known. Write the run's configuration back, and resume again.",
                isUsage: true);
        }

        lasting ??= [];
        var kept = RunSetup.OptionsOf(folder, lasting);
        var run = Opened(
            RunSetup.OfRun(folder, [.. lasting, .. passing ?? []], given), () => RunFolder.Resume(folder), objective, kept, init: null,
            isResumed: true, ranks);
        if (lasting.Count > 0) run.Folder.WriteConfig(RunPaths.Whole(kept).ToYaml());
        BestCheckpoint.Withdraw(run.Folder);
        return run;
    }

    /// <summary>Trains to the end, or until told to stop; measures before, on the way and at the end.</summary>
    /// <param name="listeners">Are told everything that happens, beside the run's own records.</param>
    /// <param name="stop">Finishes the step, writes a checkpoint, and stops.</param>
    /// <exception cref="NumericalException">Loss or gradients are not finite, and no more steps may be skipped.</exception>
    /// <exception cref="JepaException">Too many images cannot be read, or the last checkpoint cannot be written.</exception>
    public RunEnd Train(IReadOnlyList<ITrainingObserver>? listeners = null, CancellationToken stop = default)
    {
        var (logging, numbers, begun) = (_setup.Options.Logging, Trainer.Objective.Numbers, Trainer.Step.State.StepCount);
        var records = _isResumed ? RunRecords.Resume(Folder, logging, numbers, begun) : RunRecords.Create(Folder, logging, numbers);
        using var observers = new TrainingObservers([.. records, .. listeners ?? []]);
        foreach (var change in Trainer.Changes)
            foreach (var record in records) record.OnWarning(begun, change);
        using var monitors = _budget.Monitored(MonitorSize.For(Trainer.Objective.Encoder.Shape)) is { } size
            ? RunMonitors.For(Trainer, Folder, size, _device, observers, stop)
            : null;
        if (monitors?.LeftOut is { } unseen) Say(unseen, observers);
        ITrainingObserver told = monitors is null ? observers : new TrainingObservers(observers, monitors.Observer);
        var measured = new OwnMeasures(begun == 0 ? [] : MeasuresCsv.Read(Folder.Measures));
        told = new TrainingObservers(told, measured);
        if (begun == 0 && Measured(observers, stop) is { } first)
        {
            observers.OnMeasures(0, 0, first);
            measured.OnMeasures(0, 0, first);
        }

        var end =
            Trainer.Run(Folder, told, _probe is null ? null : _ => Measured(observers, stop) ?? throw new OperationCanceledException(stop), stop);
        MonitorTime = monitors?.Observer.Spent ?? TimeSpan.Zero;
        if (UntrainedImages.Write(Trainer, Folder.Path) is { } untrained) observers.OnMessage(untrained.Note);
        if (end.Outcome == RunOutcome.Completed && measured.Step != end.Step && Measured(observers, stop) is { } last)
            told.OnMeasures((int)(end.Step / Trainer.StepsPerEpoch), end.Step, last);
        if (end.Outcome == RunOutcome.Completed && measured is { First: { } before, Last: { } after }
            && LearningVerdict.Of(before, after, end.Step, Trainer.Objective.Name) is { } verdict)
        {
            observers.OnWarning(end.Step, verdict);
        }

        return end;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _probe?.Dispose();
        Trainer?.Dispose();
        Folder.Dispose();
        Source.Dispose();
    }

    private static PretrainRun Opened(
        RunSetup setup, Func<RunFolder> open, Objective? objective, PretrainOptions kept, PretrainedWeights? init, bool isResumed,
        Collective? ranks)
    {
        RunFolder folder;
        try
        {
            folder = open();
        }
        catch
        {
            setup.Source.Dispose();
            throw;
        }

        return new PretrainRun(setup, folder, objective, kept, init, isResumed, ranks);
    }

    private static IEnumerable<string> DescribeRanks(Collective ranks, PretrainOptions options)
    {
        if (ranks.Size == 1) yield break;
        var machines = ranks.Places.Select(p => p.Host).Distinct().Count();
        var own = options.Optimization.Accumulate / ranks.Size;
        yield return $"{ranks.Size} processes on {Quantity.Of(machines, "machine")}, by {ranks.Description}: "
            + $"{Quantity.Of(own, "batch", "batches")} of {options.Data.BatchSize} each, "
            + $"{options.Data.BatchSize * options.Optimization.Accumulate} images a step";
    }

    private LookBudget BudgetOf(PretrainOptions kept)
    {
        var cost = Trainer.Objective.Cost([0, 1], Step.Untracked(Trainer.Plan.Seed, microBatch: -1));
        double perStep = kept.Data.BatchSize * kept.Optimization.Accumulate;
        var whole = Math.Min((double)kept.Optimization.Epochs * Trainer.StepsPerEpoch, kept.Optimization.MaxSteps ?? double.MaxValue);
        var measures = 1 + (kept.Logging.EvaluateEvery is { } every ? kept.Optimization.Epochs / every : 1);
        return new LookBudget(cost, whole * perStep, Math.Max(0, Trainer.TotalSteps - Trainer.Step.State.StepCount) * perStep, measures);
    }

    private RunProbe? ProbeOf(PretrainOptions options)
    {
        if (!Trainer.Objective.ChangesItsEncoder) return null;
        var probe = RunProbe.For(options, Source, _device);
        var most = _budget.Probed(probe.Images);
        if (most == probe.Images) return probe;
        probe.Dispose();
        return most is { } fewer ? RunProbe.For(options, Source, _device, fewer) : null;
    }

    /// <summary>What is not measured, and why: a sentence each.</summary>
    private IEnumerable<string> LeftOut()
    {
        var why = string.Create(CultureInfo.InvariantCulture,
            $"it would be most of the work of {Quantity.Of(Math.Max(0, Trainer.TotalSteps - Trainer.Step.State.StepCount), "step")}");
        if (!Trainer.Objective.ChangesItsEncoder)
            yield return "the encoder is not measured: it is frozen, and stays what jepa evaluate says of its own weights";
        else if (_probe is null) yield return $"the encoder is not measured: {why}; jepa evaluate measures it at any time";
        if (_setup.Options.Logging.MonitorEvery != 0 && _budget.Monitored(MonitorSize.For(Trainer.Objective.Encoder.Shape)) is null)
            yield return $"nothing looks for collapse: {why}";
    }

    /// <summary>What the probe says; null where there is none, or it was stopped.</summary>
    private IReadOnlyDictionary<string, double>? Measured(ITrainingObserver observers, CancellationToken stop)
    {
        if (_probe is null) return null;
        try
        {
            var measures = _probe.Measure(Trainer.Objective.Encoder, new LookProgress(observers, "measuring the encoder", _probe.Images), stop);
            foreach (var images in _probe.LeftOut) Say(images, observers);
            return measures;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null; // measured when the run is gone on with; where it stands, the run itself says
        }
    }

    private string[] WriteMachine()
    {
        try
        {
            RunMachine.Here(_device.ToString(), _computation.Computation.Words, Source.Description, Source.Count).Write(Folder.Path);
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [$"{RunMachine.FileName} cannot be written: {e.Message} The report will not say where the run took place."];
        }
    }

    /// <summary>Once, however often the same images are looked at.</summary>
    private void Say(LeftOutImages images, ITrainingObserver observer)
    {
        if (_said.Add(images.Sentence)) observer.OnMessage("note: " + images.Sentence);
    }

    private sealed class LookProgress(ITrainingObserver observers, string what, int total) : IProgress<int>
    {
        public void Report(int value) => observers.OnLook(what, value, total);
    }

    /// <summary>Remembers what the probe said before the first step, and last.</summary>
    private sealed class OwnMeasures : ITrainingObserver
    {
        public OwnMeasures(IReadOnlyList<TakenMeasures> earlier)
        {
            if (earlier.Count > 0 && earlier[0].Step == 0) OnMeasures(earlier[0].Epoch, 0, earlier[0].Values);
        }

        public long Step { get; private set; } = -1;

        public IReadOnlyDictionary<string, double>? First { get; private set; }

        public IReadOnlyDictionary<string, double>? Last { get; private set; }

        public void OnMeasures(int epoch, long step, IReadOnlyDictionary<string, double> measures)
        {
            var own = measures.Where(m => !MonitorReading.Names(m.Key)).ToDictionary();
            if (own.Count == 0) return;
            if (step == 0) First = own;
            else (Step, Last) = (step, own);
        }
    }
}
