using System.Diagnostics;
using JepaSharp.Masking;
using JepaSharp.Models.Accelerated;
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
    private readonly TrainingStep _step;
    private readonly List<MaskBatch> _masks = [];
    private int _taken;

    public StepBench(StepShape shape, Computation computation, int accumulate = 1, bool checkpoint = false)
    {
        (_shape, _accumulate) = (shape, accumulate);
        // A micro-batch's masks are made with its images, outside the time that counts.
        _objective = new ImageJepa(new ImageJepaOptions
        {
            Encoder = shape.Encoder,
            Predictor = shape.Predictor,
            Masks = (_, microBatch, _) => _masks[(int)(microBatch % _accumulate)]
        });
        var schedules = new Schedules(new ScheduleOptions { StepsPerEpoch = 1000, Epochs = 100 });
        _step = new TrainingStep(_objective, schedules, new StepSettings(computation, Checkpoint: checkpoint));
    }

    /// <summary>Where the time of the steps goes.</summary>
    public PhaseClock Clock => _step.Clock;

    /// <summary>One step; images and indices are made outside the time that counts.</summary>
    public (double Seconds, double Loss) Step()
    {
        using var scope = NewDisposeScope();
        var batches = new List<ViewBatch>();
        _masks.Clear();
        for (var m = 0; m < _accumulate; m++, _taken++)
        {
            using var generator = new Generator((ulong)_taken);
            var images = randn([_shape.Batch, 3, _shape.Encoder.ImageHeight, _shape.Encoder.ImageWidth], generator: generator);
            batches.Add(new ViewBatch(new Dictionary<string, Tensor> { ["image"] = images }, [.. Enumerable.Range(0, _shape.Batch)]));
            _masks.Add(_shape.Masks(_taken));
        }

        var start = Stopwatch.GetTimestamp();
        var result = _step.Run(batches);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (seconds, result.Loss);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _step.Dispose();
        _objective.Dispose();
    }
}
