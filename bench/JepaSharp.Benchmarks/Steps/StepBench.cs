using System.Diagnostics;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>A network and its optimizer, with random images and masks for as many steps as are asked for.</summary>
internal sealed class StepBench : IDisposable
{
    private readonly StepShape _shape;
    private readonly int _accumulate;
    private readonly ImageJepa _objective;
    private readonly PretrainStep _step;
    private int _taken;

    public StepBench(StepShape shape, ScalarType precision, int accumulate = 1, bool checkpoint = false)
    {
        (_shape, _accumulate) = (shape, accumulate);
        _objective = new ImageJepa(shape.Encoder, shape.Predictor);
        var schedules = new Schedules(new ScheduleOptions { StepsPerEpoch = 1000, Epochs = 100 });
        _step = new PretrainStep(_objective, schedules, precision, checkpoint: checkpoint);
    }

    /// <summary>Where the time of the steps goes.</summary>
    public PhaseClock Clock => _objective.Clock;

    /// <summary>One step; images and indices are made outside the time that counts.</summary>
    public (double Seconds, double Loss) Step()
    {
        using var scope = NewDisposeScope();
        var batches = new List<(Tensor, JepaMasks)>();
        for (var m = 0; m < _accumulate; m++, _taken++)
        {
            using var generator = new Generator((ulong)_taken);
            batches.Add((randn([_shape.Batch, 3, _shape.Encoder.ImageHeight, _shape.Encoder.ImageWidth], generator: generator), _shape.Masks(_taken)));
        }

        var start = Stopwatch.GetTimestamp();
        var result = _step.Run(batches);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach (var (_, masks) in batches) masks.Dispose();
        return (seconds, result.Loss);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _step.Dispose();
        _objective.Dispose();
    }
}
