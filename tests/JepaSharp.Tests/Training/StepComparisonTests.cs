using JepaSharp.Configuration;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Runtime.Collectives;
using JepaSharp.Tests.Objectives;
using JepaSharp.Tests.Runtime.Collectives;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Training;

/// <summary>What compares images, compares all of a step, however they are divided.</summary>
public sealed class StepComparisonTests
{
    private static readonly PretrainOptions Tiny = new()
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 4 },
        Mask = new MaskOptions { PatchSize = 8, MinKeep = 1 },
        Meta = new MetaOptions { ModelName = "vit_tiny", EmbedDim = 32, NumHeads = 2, Depth = 2, PredDepth = 1, PredEmbDim = 16, PredNumHeads = 1 },
    };

    private static readonly VisionTransformerShape Shape = new()
    {
        ImageHeight = 32,
        ImageWidth = 32,
        PatchSize = 8,
        Width = 32,
        Depth = 1,
        Heads = 2,
        MlpWidth = 64,
    };

    /// <summary>The oracle: as many images in one micro-batch. Loss, reported numbers, gradients, and what batch norm keeps.</summary>
    [Theory]
    [InlineData(MaskedSiamese.ShortName, 2, 1, false)]
    [InlineData(MaskedSiamese.ShortName, 4, 1, true)]
    [InlineData(MaskedSiamese.ShortName, 4, 2, false)]
    [InlineData(MaskedSiamese.ShortName, 4, 4, true)]
    [InlineData(LeJepa.ShortName, 2, 1, false)]
    [InlineData(LeJepa.ShortName, 4, 1, true)]
    [InlineData(LeJepa.ShortName, 4, 2, true)]
    [InlineData(LeJepa.ShortName, 4, 4, false)]
    public void Step_OfSeveralMicroBatches_IsThatOfOneOfAllTheirImages(string objective, int batches, int ranks, bool isAhead)
    {
        using var scope = NewDisposeScope();
        var whole = Taken(objective, Collective.Alone, isAhead, made => [Joined(Parts(made, batches), made)]);
        var apart = batches / ranks;
        var divided = ranks == 1
            ? Taken(objective, Collective.Alone, isAhead, made => Parts(made, batches))
            : ThreadRanks.All(ranks, r => Taken(
                objective, r, isAhead, made => [.. Parts(made, batches).Skip(r.Rank * apart).Take(apart)]))[ranks - 1];
        Assert.Equal(whole.Loss, divided.Loss, 1e-5 * Math.Abs(whole.Loss));
        Assert.Equal(whole.Numbers.Keys.Order(), divided.Numbers.Keys.Order());
        foreach (var (name, value) in whole.Numbers) Assert.Equal(value, divided.Numbers[name], 1e-4 * Math.Max(Math.Abs(value), 1e-2));
        Assert.Equal(whole.State.Count, divided.State.Count);
        foreach (var (expected, found) in whole.State.Zip(divided.State))
            Assert.True(tensor(expected).allclose(tensor(found), rtol: 1e-4, atol: 1e-6), "running averages");
        foreach (var (name, expected) in whole.Gradients)
        {
            var (wanted, found) = (tensor(expected), tensor(divided.Gradients[name]));
            var (apartBy, largest) = ((found - wanted).abs().max().item<float>(), Math.Max(wanted.abs().max().item<float>(), 1e-2f * whole.Largest));
            Assert.True(apartBy <= 1e-4f * largest, $"gradient of {name}: {apartBy} of {largest}");
        }
    }

    /// <summary>So that the oracle can fail: micro-batch by micro-batch it would be another run.</summary>
    [Theory]
    [InlineData(MaskedSiamese.ShortName)]
    [InlineData(LeJepa.ShortName)]
    public void Step_ComparedByMicroBatch_WouldBeAnother(string objective)
    {
        using var scope = NewDisposeScope();
        var together = Taken(objective, Collective.Alone, false, made => Parts(made, 2));
        List<Outcome> alone = [.. Enumerable.Range(0, 2).Select(m => Taken(objective, Collective.Alone, false, made => [Parts(made, 2)[m]]))];
        Assert.True(Math.Abs(alone.Average(a => a.Loss) - together.Loss) > 0.01 * together.Loss);
        foreach (var (name, largest) in together.Gradients.Where(g => g.Key.Contains("patch_embed.proj.weight", StringComparison.Ordinal)))
        {
            var (found, mean) = (tensor(largest), (tensor(alone[0].Gradients[name]) + tensor(alone[1].Gradients[name])) / 2);
            Assert.True((found - mean).norm().item<float>() > 0.05f * found.norm().item<float>(), name);
        }
    }

    [Fact]
    public void Terms_OfJepaThatKeepsApart_AreOfAllContextsOfAStep()
    {
        using var scope = NewDisposeScope();
        using var jepa = new ImageJepa(new PretrainPlan(Tiny with { Ijepa = new JepaOptions { Variance = 0.5, Covariance = 0.1 } }).ImageJepa);
        using var step = StepOf(jepa, Collective.Alone, isAhead: false);
        var batches = Parts(jepa, 2);
        Tensor expected;
        using (no_grad())
        {
            var contexts = batches.Select((b, m) => jepa.Features(b, Step.Untracked(0, microBatch: m))[0].flatten(0, 1));
            expected = VarianceCovariance.Of(cat([.. contexts])).Covariance;
        }

        Assert.Equal(expected.item<float>(), step.Run(batches).Numbers["covariance"], 1e-5);
        foreach (var batch in batches) batch.Dispose();
    }

    /// <summary>An objective that would be compared by micro-batch without anybody's knowing.</summary>
    [Theory]
    [InlineData(true, false, "gave none to Step.Compare")]
    [InlineData(false, true, "gave some to Step.Compare")]
    [InlineData(true, true, "expected at least one, each [V, 4, ...]")]
    public void Objective_ThatSaysOneThingAndDoesAnother_IsRefused(bool says, bool does, string why)
    {
        using var scope = NewDisposeScope();
        using var objective = new Unsure(says, does);
        using var step = StepOf(objective, Collective.Alone, isAhead: false);
        var batches = Parts(objective, 2);
        Assert.Contains(why, Assert.Throws<InvalidOperationException>(() => step.Run(batches)).Message, StringComparison.Ordinal);
        foreach (var batch in batches) batch.Dispose();
    }

    private static Objective New(string objective) => objective == LeJepa.ShortName
        ? new LeJepa(new PretrainPlan(LeJepaTests.Options(Tiny)).LeJepa)
        // The same patches in every micro-batch, as one of all images has them.
        : new MaskedSiamese(new PretrainPlan(MaskedSiameseTests.Options(Tiny)).MaskedSiamese with { Draw = (_, _, _, kept) => First(kept) });

    private static long[] First(int kept) => [.. Enumerable.Range(0, kept).Select(patch => (long)patch)];

    private static TrainingStep StepOf(Objective objective, Collective ranks, bool isAhead) => new(
        objective, new Schedules(new ScheduleOptions { StepsPerEpoch = 10, Epochs = 10 }),
        new StepSettings(RunsAhead: isAhead) { Ranks = ranks });

    /// <summary>Takes the first step.</summary>
    private static Outcome Taken(string name, Collective ranks, bool isAhead, Func<Objective, IReadOnlyList<ViewBatch>> images)
    {
        using var scope = NewDisposeScope();
        using var objective = New(name);
        using var step = StepOf(objective, ranks, isAhead);
        var batches = images(objective);
        using var pending = step.Begin(batches);
        var gradients = step.State.Trained.SelectMany(n => n.Parameters.Layout.Select(p => (
            Name: $"{n.Network.Name}.{p.Name}",
            Numbers: FlatParameters.ViewOf(n.Parameters.Gradients!, p.Start, p.Shape).reshape(-1).data<float>().ToArray())))
            .ToDictionary(g => g.Name, g => g.Numbers);
        step.Apply(pending);
        var result = step.Finish(pending);
        foreach (var batch in batches) batch.Dispose();
        return new Outcome(result.Loss, result.Numbers, gradients, [.. objective.State.Select(s => s.Value.data<float>().ToArray())]);
    }

    /// <summary>Micro-batches of four images each, which all differ.</summary>
    private static List<ViewBatch> Parts(Objective objective, int count) => [.. Enumerable.Range(0, count).Select(m => new ViewBatch(
        objective.Views.ToDictionary(
            v => v.Name, v => (randn([4L * v.Count, 3, v.Transform.CropSize, v.Transform.CropSize], generator: new Generator((ulong)m + 7))
                + (0.5 * m)).DetachFromDisposeScope()),
        [.. Enumerable.Range(4 * m, 4)]))];

    /// <summary>All of them in one, the view being the slow index.</summary>
    private static ViewBatch Joined(IReadOnlyList<ViewBatch> parts, Objective objective)
    {
        var joined = new ViewBatch(
            objective.Views.ToDictionary(v => v.Name, v => cat([.. parts.Select(p => p[v.Name].view(v.Count, 4, 3, v.Transform.CropSize, -1))], 1)
                .flatten(0, 1).DetachFromDisposeScope()),
            [.. parts.SelectMany(p => p.Indices)]);
        foreach (var part in parts) part.Dispose();
        return joined;
    }

    private sealed record Outcome(
        double Loss, IReadOnlyDictionary<string, double> Numbers, IReadOnlyDictionary<string, float[]> Gradients, IReadOnlyList<float[]> State)
    {
        public float Largest => Gradients.Values.Max(g => g.Max(Math.Abs));
    }

    private sealed class Unsure(bool says, bool does) : Objective
    {
        public override string Name => "unsure";

        public override IReadOnlyList<Network> Networks => field ??= [new("encoder", Encoder, NetworkRole.Trained)];

        public override IReadOnlyList<View> Views { get; } = [new("image", new TrainingTransform { CropSize = 32 })];

        public override VisionTransformer Encoder { get; } = new(Shape);

        public override bool ComparesImages => says;

        public override IReadOnlyList<Tensor> Features(ViewBatch batch, Step step) =>
            [does ? Encoder.forward(batch["image"]).mean() : Encoder.forward(batch["image"]).mean([1L]).unsqueeze(0)];

        public override Tensor Compare(IReadOnlyList<Tensor> features, Step step) => features[0].square().mean();

        public override Tensor Loss(ViewBatch batch, Step step) =>
            does ? step.Compare(Features(batch, step), Compare) : Encoder.forward(batch["image"]).square().mean();
    }
}
