using JepaSharp.Configuration;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Reports;
using JepaSharp.Runtime.Collectives;
using JepaSharp.Tests.Runtime.Collectives;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

/// <summary>What holds of any objective: derive from this with a way to make one, and all of it is tested.</summary>
public abstract class ObjectiveContract<T> : IDisposable
    where T : Objective
{
    private const int Images = 4;
    private readonly TemporaryFolder _folder = new();

    /// <summary>Options under which the objective trains on scenes of 32 pixels.</summary>
    protected static PretrainOptions Tiny { get; } = new()
    {
        Data = new DataOptions { CropSize = 32, BatchSize = Images, SceneCount = 18, SceneSize = 32, NumWorkers = 2 },
        Mask = new MaskOptions { PatchSize = 8, MinKeep = 1 },
        // Widths that the CPU kernels can do.
        Meta = new MetaOptions { ModelName = "vit_tiny", EmbedDim = 32, NumHeads = 2, Depth = 2, PredDepth = 1, PredEmbDim = 16, PredNumHeads = 1 },
        Optimization = new OptimizationOptions { Epochs = 3, Warmup = 1 },
        Logging = new LoggingOptions { CheckpointSteps = 1 },
    };

    /// <summary>The options that this objective is trained with.</summary>
    protected virtual PretrainOptions Options => Tiny;

    /// <summary>A new objective with initial weights, the same every time.</summary>
    protected abstract T New();

    /// <summary>Whether a parameter's gradient is 0 but for rounding, whatever the weights: what batch norm takes away again, say.</summary>
    protected virtual bool IsRounding(string network, string name) => false;

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Networks_AreNamedOnce_AndTheEncoderIsOneOfThem()
    {
        using var objective = New();
        Assert.Equal(objective.Networks.Count, objective.Networks.Select(n => n.Name).Distinct().Count());
        Assert.Contains(objective.Networks, n => ReferenceEquals(n.Module, objective.Encoder));
        Assert.NotEmpty(objective.Views);
        Assert.Equal(objective.Views.Count, objective.Views.Select(v => v.Name).Distinct().Count());
        Assert.Contains(objective.Networks, n => n.Role == NetworkRole.Trained);
    }

    /// <summary>An objective that counts its operations counts the products that libtorch's operators make, forward and backward.</summary>
    /// <summary>Whoever reads a run folder knows of the targets from the configuration alone.</summary>
    [Fact]
    public void Targets_AreFixed_WhereTheConfigurationSaysSo()
    {
        using var objective = New();
        Assert.Equal(objective.TargetsAreFixed, EvidenceAgreement.HasFixedTargets(Options));
    }

    [Fact]
    public void Operations_ThatTheLossCounts_AreThoseOfItsProducts()
    {
        using var scope = NewDisposeScope();
        using var objective = New();
        using var batch = Batch(objective);
        var step = Step.Untracked(0);
        using var trace = ProductTrace.Begin();
        _ = objective.Loss(batch, step);
        if (step.Operations is not { } counted) return;
        Assert.Equal(trace.Forward, counted.Networks.Sum(n => n.Forward), 1e-6 * trace.Forward);
        Assert.Equal(trace.Backward, counted.Networks.Sum(n => n.Backward), 1e-6 * trace.Backward);
        Assert.Equal(counted.Total, objective.Operations(batch.Indices, Step.Untracked(0))!.Total);
        Assert.All(counted.Networks, n => Assert.Equal(objective.Networks.Single(o => o.Name == n.Network).Role, n.Role));
    }

    [Fact]
    public void Operations_OfAStep_AreTheSumOfItsMicroBatches_WithKernelsToo()
    {
        using var taken = NewStep();
        ViewBatch[] batches = [Batch(taken.Objective, 1), Batch(taken.Objective, 2)];
        var expected = batches.Select((b, m) => taken.Objective.Operations(b.Indices, Step.Untracked(0, microBatch: m))?.Total).ToList();
        Assert.Equal(expected.Sum(e => e ?? double.NaN), taken.Run(batches).Operations?.Total ?? double.NaN);
        foreach (var batch in batches) batch.Dispose();
    }

    [Fact]
    public void Gradients_WithAndWithoutKernels_Agree()
    {
        using var scope = NewDisposeScope();
        using var taken = NewStep();
        using var batch = Batch(taken.Objective);
        using var pending = taken.Begin([batch]);
        using var plain = New();
        plain.Loss(batch, Step.Untracked(0)).backward();
        var compared = 0;
        foreach (var network in taken.State.Trained)
        {
            var expected =
                plain.Networks.Single(n => n.Name == network.Network.Name).Module.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad);
            foreach (var (name, shape, start) in network.Parameters.Layout)
            {
                if (expected[name] is not { } wanted || IsRounding(network.Network.Name, name)) continue;
                using var found = FlatParameters.ViewOf(network.Parameters.Gradients!, start, shape);
                var largest = Math.Max(wanted.abs().max().item<float>(), 1e-6f);
                Assert.True((found - wanted).abs().max().item<float>() < 1e-3f * largest, $"gradient of {network.Network.Name}.{name}");
                compared++;
            }
        }

        Assert.True(compared > 0);
    }

    /// <summary>The mean of their losses, and the comparison of all their images, as one graph of libtorch's operators has it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Step_OnSeveralMicroBatches_HasTheGradientsOfAllItsImages(bool isAhead)
    {
        using var scope = NewDisposeScope();
        using var together = NewStep(isAhead: isAhead);
        using var alone = New();
        ViewBatch[] batches = [Batch(together.Objective, 1), Batch(together.Objective, 2)];
        using var pending = together.Begin(batches);
        Step Apart(int m) => new(0, 1, 0, m, 1, null, inParts: false) { GradientsOf = features => new Tensor?[features.Count] };
        List<Tensor> losses = [.. batches.Select((b, m) => alone.Loss(b, Apart(m)).to(float64) / batches.Length)];
        if (alone.ComparesImages)
        {
            var features = batches.Select((b, m) => alone.Features(b, Step.Untracked(0, microBatch: m))).ToList();
            losses.Add(alone.Compare([.. features[0].Select((_, i) => cat([.. features.Select(f => f[i])], 1))], Step.Untracked(0)).to(float64));
        }

        var whole = stack(losses).sum();
        whole.backward();
        var loss = whole.item<double>();
        Assert.Equal(loss, pending.Read().Loss, 1e-5 * Math.Max(1, Math.Abs(loss)));
        foreach (var network in together.State.Trained)
        {
            var expected =
                alone.Networks.Single(n => n.Name == network.Network.Name).Module.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad);
            foreach (var (name, shape, start) in network.Parameters.Layout)
            {
                if (expected[name] is not { } wanted || IsRounding(network.Network.Name, name)) continue;
                using var found = FlatParameters.ViewOf(network.Parameters.Gradients!, start, shape);
                Assert.True((found - wanted).abs().max().item<float>() < 1e-3f * Math.Max(wanted.abs().max().item<float>(), 1e-6f),
                    $"gradient of {network.Network.Name}.{name}");
            }
        }

        foreach (var batch in batches) batch.Dispose();
    }

    [Theory]
    [InlineData(ScalarType.Float32, false)]
    [InlineData(ScalarType.BFloat16, false)]
    [InlineData(ScalarType.Float32, true)]
    public void Steps_OneAfterTheOther_LeaveNoTensorBehind(ScalarType precision, bool isAhead)
    {
        using var step = NewStep(precision, isAhead);
        using var batch = Batch(step.Objective);
        step.Run(batch);
        step.Run(batch, batch);
        // What earlier tests left to the collector must not go meanwhile: the count is the process's.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 4; i++) step.Run([.. Enumerable.Repeat(batch, 1 + (i % 2))]);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Step_NotFinite_ChangesNothing(bool isAhead)
    {
        using var scope = NewDisposeScope();
        using var step = NewStep(isAhead: isAhead);
        using var sound = Batch(step.Objective);
        step.Run(sound);
        Tensor[] state = [.. StateOf(step.State)];
        Tensor[] before = [.. state.Select(s => s.clone())];
        using var bad = Batch(step.Objective, value: float.NaN);
        Assert.Throws<NumericalException>(() => step.Run(bad));
        Assert.Throws<NumericalException>(() => step.Run(sound, bad));
        Assert.All(before.Zip(state), pair => Assert.True(pair.First.Equals(pair.Second)));
        Assert.Equal(1, step.State.StepCount);
        Assert.True(double.IsFinite(step.Run(sound).Loss));
    }

    [Fact]
    public void Run_StoppedAndResumed_EndsInTheBitsOfTheUnbrokenOne()
    {
        var whole = Train(_folder["whole"], stopAfter: null);
        _ = Train(_folder["broken"], stopAfter: 5);
        var resumed = Train(_folder["broken"], stopAfter: null);
        Assert.Equal(12, whole.Losses.Count);
        Assert.Equal(whole.Losses.Skip(5), resumed.Losses);
        Assert.Equal(whole.State, resumed.State);
    }

    [Fact]
    public void Run_Ahead_IsTheRunThatWaits()
    {
        using var scope = NewDisposeScope();
        using var waiting = NewStep();
        using var ahead = NewStep(isAhead: true);
        using var batch = Batch(waiting.Objective);
        for (var i = 0; i < 3; i++) Assert.Equal(waiting.Run(batch).Loss, ahead.Run(batch).Loss, 1e-4);
        foreach (var (a, b) in DeterminedOf(waiting.State).Zip(DeterminedOf(ahead.State)))
            Assert.True(
                a.allclose(b, rtol: 1e-2, atol: 1e-4), $"{a.numel()} numbers that differ by up to {(a - b).abs().max().item<float>()}, "
                    + $"{(a - b).abs().gt(1e-4).sum().item<long>()} of them; first at {(a - b).abs().argmax().item<long>()}");
    }

    /// <summary>As docs/scaling.md promises: the number of processes is nothing that a run depends on.</summary>
    [Theory]
    [InlineData(2, false)]
    [InlineData(4, false)]
    [InlineData(2, true)]
    public void Run_OfSeveralRanks_IsThatOfAsManyMicroBatches(int ranks, bool isAhead)
    {
        var options = Options with
        {
            Optimization = Options.Optimization with { Accumulate = 4, Epochs = 3 },
            Logging = Options.Logging with { CheckpointSteps = null },
        };
        var alone = TrainTogether(options, Collective.Alone, isAhead);
        var together = ThreadRanks.All(ranks, r => TrainTogether(options, r, isAhead));
        Assert.Equal(3, alone.Reports.Count);
        foreach (var rank in together)
        {
            // The same bits on every rank, and but for rounding those of one process.
            Assert.Equal(together[0].State, rank.State);
            Assert.Equal(together[0].Reports, rank.Reports);
            foreach (var (expected, found) in alone.Reports.Zip(rank.Reports)) Assert.Equal(expected, found, 1e-3 * (1 + Math.Abs(expected)));
        }

        using var scope = NewDisposeScope();
        Assert.Equal(alone.Determined.Count, together[0].Determined.Count);
        foreach (var (expected, found) in alone.Determined.Zip(together[0].Determined))
        {
            var (a, b) = (tensor(expected), tensor(found));
            Assert.True(a.allclose(b, rtol: 1e-2, atol: 1e-4), $"{a.numel()} numbers that differ by up to {(a - b).abs().max().item<float>()}");
        }
    }

    [Fact]
    public void Numbers_OfAStep_AreThoseDeclared()
    {
        using var step = NewStep();
        using var batch = Batch(step.Objective);
        var result = step.Run(batch);
        Assert.Equal(step.Objective.Numbers.Order(), result.Numbers.Keys.Order());
        Assert.All(result.Numbers.Values, value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void Configuration_WrittenAndRead_IsTheSame() => Assert.Equal(Options.ToYaml(), PretrainOptions.Parse(Options.ToYaml()).ToYaml());

    private TrainingStep NewStep(ScalarType precision = ScalarType.Float32, bool isAhead = false) => new(
        New(), new Schedules(new ScheduleOptions { StepsPerEpoch = 10, Epochs = 10 }), new StepSettings(precision, RunsAhead: isAhead));

    /// <summary>Images that vary smoothly, of every view.</summary>
    private static ViewBatch Batch(Objective objective, int turn = 1, float? value = null)
    {
        Tensor Of(long crops, long side)
        {
            var shape = new long[] { crops * Images, 3, side, side };
            return value is { } number ? full(shape, number) : arange(shape.Aggregate((a, b) => a * b), float32).mul(0.013 * turn).sin().view(shape);
        }

        return new ViewBatch(
            objective.Views.ToDictionary(v => v.Name, v => Of(v.Count, v.Transform.CropSize).DetachFromDisposeScope()),
            [.. Enumerable.Range(0, Images)]);
    }

    private static IEnumerable<Tensor> StateOf(TrainingState state)
    {
        foreach (var network in state.Networks)
        {
            yield return network.Parameters.Values;
            if (network.Optimizer is not { } optimizer) continue;
            yield return optimizer.FirstMoment;
            yield return optimizer.SecondMoment;
        }

        foreach (var kept in state.Objective.State) yield return kept.Value;
    }

    /// <summary>The state without what rounding moves: that is 0.</summary>
    private IEnumerable<Tensor> DeterminedOf(TrainingState state)
    {
        foreach (var network in state.Networks)
        {
            Tensor[] flat = [network.Parameters.Values, .. network.Optimizer is { } o ? new[] { o.FirstMoment, o.SecondMoment } : []];
            foreach (var copy in flat.Select(f => f.clone()))
            {
                foreach (var (_, shape, start) in network.Parameters.Layout.Where(p => IsRounding(network.Network.Name, p.Name)))
                    FlatParameters.ViewOf(copy, start, shape).zero_();
                // A shift of all keys changes no softmax.
                foreach (var (_, shape, start) in network.Parameters.Layout.Where(p => p.Name.EndsWith("attn.qkv.bias", StringComparison.Ordinal)))
                    FlatParameters.ViewOf(copy, start + (shape[0] / 3), [shape[0] / 3]).zero_();
                yield return copy;
            }
        }

        foreach (var kept in state.Objective.State.Where(s => !IsRounding("state", s.Name))) yield return kept.Value;
    }

    private (List<float> Losses, float[] State) Train(string path, int? stopAfter)
    {
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, Options.Data.SceneCount, Options.Data.SceneSize);
        using var trainer = new Trainer(Options, source, New(), CPU);
        var isThere = RunFolder.HoldsRun(path);
        using var folder = isThere ? RunFolder.Resume(path) : RunFolder.Create(path);
        if (isThere) trainer.Resume(folder);
        else trainer.Begin(folder, Options.ToYaml());
        using var stop = new CancellationTokenSource();
        var listener = new Listener(stop, stopAfter);
        trainer.Run(folder, listener, stop: stop.Token);
        return (listener.Losses, [.. StateOf(trainer.Step.State).SelectMany(t => t.data<float>().ToArray())]);
    }

    private (List<double> Reports, float[] State, List<float[]> Determined) TrainTogether(PretrainOptions options, Collective ranks, bool isAhead)
    {
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, options.Data.SceneCount, options.Data.SceneSize);
        using var trainer = new Trainer(options, source, New(), CPU, runsAhead: isAhead, ranks: ranks);
        var told = new Numbers();
        trainer.Run(null, told);
        return (told.Reports, [.. StateOf(trainer.Step.State).SelectMany(t => t.data<float>().ToArray())],
            [.. DeterminedOf(trainer.Step.State).Select(t => t.data<float>().ToArray())]);
    }

    /// <summary>Of each step one number that stands for all that is reported.</summary>
    private sealed class Numbers : ITrainingObserver
    {
        public List<double> Reports { get; } = [];

        public void OnStep(in StepReport step) => Reports.Add(step.Loss + step.Numbers.Sum() + ((step.Operations ?? 0) / 1e9));
    }

    private sealed class Listener(CancellationTokenSource stop, int? stopAfter) : ITrainingObserver
    {
        public List<float> Losses { get; } = [];

        public void OnStep(in StepReport step)
        {
            Losses.Add(step.Loss);
            if (Losses.Count == stopAfter) stop.Cancel();
        }
    }
}

/// <summary>So does I-JEPA that predicts pixels.</summary>
public sealed class PixelJepaContractTests : ObjectiveContract<ImageJepa>
{
    protected override PretrainOptions Options => Tiny with { Ijepa = new JepaOptions { Target = JepaTarget.Pixels } };

    protected override ImageJepa New() => new(new PretrainPlan(Options).ImageJepa);
}

/// <summary>So does I-JEPA with C-JEPA's two terms.</summary>
public sealed class SpreadJepaContractTests : ObjectiveContract<ImageJepa>
{
    protected override PretrainOptions Options => Tiny with { Ijepa = new JepaOptions { Variance = 0.5, Covariance = 0.1 } };

    protected override ImageJepa New() => new(new PretrainPlan(Options).ImageJepa);
}

/// <summary>So does I-JEPA whose target encoder sees one target alone.</summary>
public sealed class InputMaskedJepaContractTests : ObjectiveContract<ImageJepa>
{
    protected override PretrainOptions Options => Tiny with { Ijepa = new JepaOptions { MaskTarget = TargetMasking.Input } };

    protected override ImageJepa New() => new(new PretrainPlan(Options).ImageJepa);
}

/// <summary>I-JEPA keeps the contract.</summary>
public sealed class ImageJepaContractTests : ObjectiveContract<ImageJepa>
{
    protected override ImageJepa New() => new(new PretrainPlan(Options).ImageJepa);
}
