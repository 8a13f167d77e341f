using System.Diagnostics;
using JepaSharp.Models.Accelerated;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>Any objective and its optimizer, with random views for as many steps as are asked for.</summary>
internal sealed class MethodBench : IDisposable
{
    private const int StepsPerEpoch = 1000;

    private readonly int _batch;
    private readonly Objective _objective;
    private readonly TrainingStep _step;
    private int _taken;

    public MethodBench(MethodShape shape, StepArguments arguments)
    {
        var plan = new PretrainPlan(shape.Options);
        _batch = shape.Batch;
        _objective = shape.Create is { } create ? create(plan) : KnownObjectives.Create(plan);
        Computation = arguments.Computation(_objective.Encoder.Shape);
        _step = new TrainingStep(_objective, plan.Schedules(StepsPerEpoch), new StepSettings(Computation, plan.Optimizer, Seed: plan.Seed));
    }

    /// <summary>What the products are computed with.</summary>
    public Computation Computation { get; }

    /// <summary>Where the time of the steps goes.</summary>
    public PhaseClock Clock => _step.Clock;

    /// <summary>One step; views are made outside the time that counts.</summary>
    public (double Seconds, StepResult Result) Step()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)_taken++);
        // Channels last, as training makes them of bytes.
        var views = _objective.Views.ToDictionary(v => v.Name, v =>
            randn([v.Count * _batch, v.Transform.CropSize, v.Transform.CropSize, 3], generator: generator).permute(0, 3, 1, 2));
        var batch = new ViewBatch(views, [.. Enumerable.Range(0, _batch)]);
        var start = Stopwatch.GetTimestamp();
        var result = _step.Run([batch]);
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, result);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _step.Dispose();
        _objective.Dispose();
    }
}
