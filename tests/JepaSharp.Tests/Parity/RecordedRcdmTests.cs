using JepaSharp.Configuration;
using JepaSharp.Objectives.Diffusion;
using JepaSharp.Optimization;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>RCDM against runs recorded from the published program: learned variance and residual resizing; and neither, with annealing.</summary>
public sealed class RecordedRcdmTests(ITestOutputHelper output)
{
    private const double Usual = 5e-5;
    private const long MostBeyond = 10;

    public static IEnumerable<TheoryDataRow<string>> Runs => RecordedFolders.Of(["rcdm"]);

    public static IEnumerable<TheoryDataRow<string>> WithTables => RecordedFolders.Of(["rcdm"], "tables.safetensors");

    [Theory]
    [MemberData(nameof(WithTables))]
    public void Tables_OfSchedules_AreTheRecordedOnes(string name)
    {
        using var file = SafetensorsFile.Open(RecordedFolders.PathOf(name, "tables.safetensors"));
        var linear = NoiseSchedule.Of(NoiseKind.Linear, 1000);
        var found = new Dictionary<string, IReadOnlyList<double>>
        {
            ["betas"] = linear.Betas,
            ["alphas_cumprod"] = linear.AlphaBars,
            ["posterior_variance"] = linear.PosteriorVariances,
            ["posterior_log_variance_clipped"] = linear.LogPosteriorVariances,
            ["posterior_mean_coef1"] = linear.ImageShares,
            ["posterior_mean_coef2"] = linear.NoisyShares,
            ["cosine.betas"] = NoiseSchedule.Of(NoiseKind.Cosine, 1000).Betas,
            ["linear_400.betas"] = NoiseSchedule.Of(NoiseKind.Linear, 400).Betas,
        };
        foreach (var steps in file.Names.Where(n => n.StartsWith("respaced.", StringComparison.Ordinal)).Select(n => n.Split('.')[1]).Distinct())
        {
            var respaced = linear.Keeping(StepSubset.Of(steps, 1000));
            found[$"respaced.{steps}.betas"] = respaced.Betas;
            found[$"respaced.{steps}.posterior_log_variance_clipped"] = respaced.LogPosteriorVariances;
        }

        Assert.Equal(file.Names.Order(), found.Keys.Order());
        var worst = 0.0;
        foreach (var (table, values) in found)
        {
            using var read = file.Read(table);
            var expected = read.data<double>().ToArray();
            Assert.Equal(expected.Length, values.Count);
            var difference = expected.Zip(values, (e, v) => Math.Abs(e - v)).Max();
            Assert.True(difference < 1e-12, $"{table} differs by {difference}");
            worst = Math.Max(worst, difference);
        }

        output.WriteLine($"largest difference {worst:g3} in {found.Count} tables");
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Steps_Kept_AreTheRecordedOnes(string name)
    {
        var maps = RecordedFolders.FactsOf(name).GetProperty("timestep_maps").EnumerateObject().ToList();
        Assert.NotEmpty(maps);
        foreach (var map in maps) Assert.Equal(map.Value.EnumerateArray().Select(t => t.GetInt32()), StepSubset.Of(map.Name, 1000));
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Parameters_OfTheNetwork_AreNamedAndShapedAsPublished(string name)
    {
        using var run = new RecordedRcdm(name);
        var found = run.Objective.Decoder.named_parameters().ToDictionary(p => p.name, p => string.Join(' ', p.parameter.shape));
        Assert.Equal(run.Parameters.Select(p => p.Name).Order(), found.Keys.Order());
        Assert.All(run.Parameters, p => Assert.Equal(string.Join(' ', p.Shape), found[p.Name]));
        // In files, too, under these names and no others.
        Assert.Equal(run.Parameters.Select(p => p.Name).Order(), run.Objective.Decoder.state_dict().Keys.Order());
        Assert.Equal(run.Facts.GetProperty("parameter_count").GetInt64(), run.Objective.Decoder.ParameterCount);
        // A step leaves every weight, bias and norm another: all are decayed and trained.
        Compare(run, "initial", run.Objective.Decoder.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter));
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Forward_FirstStep_MatchesRecorded(string name)
    {
        using var run = new RecordedRcdm(name);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var (images, told, steps, noise) = (run.Images(0), run.Conditions(0), run.StepsOf(0), run.Noise(0));
        var (diffusion, network) = (run.Diffusion, run.Objective.Decoder);
        var noisy = diffusion.Noised(images, steps, noise);
        AssertClose("x_t", noisy, run.Expected("x_t"), 2e-6);
        var t = diffusion.Told(steps, CPU);
        AssertClose("embedding of steps", network.EmbedSteps(t), run.Expected("timestep_embedding"), 1e-5);
        AssertClose("embedding", network.Embed(t, told), run.Expected("embedding"), 1e-5);
        var said = network.Forward(noisy, t, told);
        AssertClose("output", said, run.Expected("output"), 2e-5);
        AssertClose("output without a representation", network.Forward(noisy, t, null), run.Expected("output_unconditioned"), 2e-5);
        AssertLosses("xstart", run.OfImages.Losses(said, images, noisy, steps, noise), run, relative: true);
        // The first batch once more, all at the first step, whose likelihood is that of 8-bit numbers.
        int[] first = [.. steps.Select(_ => 0)];
        var slightly = diffusion.Noised(images, first, noise);
        var saidOfIt = network.Forward(slightly, diffusion.Told(first, CPU), told);
        AssertLosses("first_step", diffusion.Losses(saidOfIt, images, slightly, first, noise), run, relative: false);
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Gradients_FirstStep_MatchRecorded(string name)
    {
        using var run = new RecordedRcdm(name);
        using var scope = NewDisposeScope();
        using var batch = run.Batch(0);
        using var pending = run.Step.Begin([batch]);
        var worst = 0.0;
        var decoder = run.Step.State.Trained.Single();
        var whole = new Dictionary<string, Tensor>();
        foreach (var (parameter, shape, start) in decoder.Parameters.Layout)
        {
            var found = FlatParameters.ViewOf(decoder.Parameters.Gradients!, start, shape);
            whole[parameter] = found;
            var mask = run.Sample(run.Determined(parameter, found));
            var expected = run.Expected($"grad.{parameter}");
            var largest = Math.Max(expected.abs().max().item<float>(), 1e-12f);
            var difference = (run.Sample(found) - expected).mul(mask).abs().max().item<float>() / largest;
            Assert.True(difference < 1e-4, $"gradient of {parameter} differs by {difference} of its largest entry");
            worst = Math.Max(worst, difference);
        }

        Compare(run, "gradient", whole);
        output.WriteLine($"largest relative difference {worst:g3}");
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Trajectory_AllSteps_MatchesRecorded(string name)
    {
        using var run = new RecordedRcdm(name);
        using var scope = NewDisposeScope();
        var loss = 0.0;
        foreach (var (recorded, k) in run.Steps.Select((s, k) => (s, k)))
        {
            using var batch = run.Batch(k);
            var result = run.Step.Run(batch);
            Assert.Equal(recorded.GetProperty("learning_rate").GetDouble(), result.LearningRate, 1e-12);
            loss = Math.Max(loss, Math.Abs(recorded.GetProperty("loss").GetDouble() - result.Loss));
            if (!run.Diffusion.LearnsSigma) continue;
            foreach (var term in (string[])["mse", "vb"])
            {
                var mean = recorded.GetProperty($"{term}_by_image").EnumerateArray().Average(v => v.GetDouble());
                loss = Math.Max(loss, Math.Abs(mean - result.Numbers[term]));
            }
        }

        var (final, average) = (Worst(run, "final", "unet"), Worst(run, "ema", "unet_average"));
        output.WriteLine(
            $"largest differences: losses {loss:g3}, final weights {final.Largest:g3}, average {average.Largest:g3}; beyond {Usual:g1} are "
                + $"{final.Beyond} and {average.Beyond} of {final.Count}");
        // Where a gradient is nearly 0, AdamW divides rounding by its own size: of some ten thousand numbers a few.
        Assert.True(loss < 1e-4 && final.Largest < 1e-4 && average.Largest < 1e-4);
        Assert.True(final.Beyond + average.Beyond <= MostBeyond && final.Count > 5000);
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Samples_OfEverySampler_MatchRecorded(string name)
    {
        using var run = new RecordedRcdm(name);
        using var scope = NewDisposeScope();
        var (start, told, noise) = (run.Sampling("sampling_start"), run.Sampling("sampling_feat"), run.Sampling("sampling_noise"));
        var sampling = run.Facts.GetProperty("sampling");
        var (ddpm, ddim) = (sampling.GetProperty("ddpm").GetString()!, sampling.GetProperty("ddim").GetString()!);
        Tensor Say(Tensor noisy, Tensor t) => run.Objective.Decoder.Forward(noisy, t, told);
        var (samples, images) = (new List<Tensor>(), new List<Tensor>());
        void Keep(Tensor x, Tensor image)
        {
            samples.Add(x.clone().DetachFromDisposeScope());
            images.Add(image.clone().DetachFromDisposeScope());
        }

        _ = new DiffusionSampler(run.Diffusion.In(ddpm)).Ancestral(Say, start, turn => noise[turn], Keep);
        AssertClose("ancestral samples", stack(samples), run.Expected("ddpm.samples"), 1e-4);
        AssertClose("ancestral images", stack(images), run.Expected("ddpm.pred_xstart"), 1e-3);
        samples.Clear();
        images.Clear();
        _ = new DiffusionSampler(run.Diffusion.In(ddim)).Implicit(Say, start, seen: Keep);
        AssertClose("DDIM's samples", stack(samples), run.Expected("ddim.samples"), 1e-4);
        var noisily = new DiffusionSampler(run.Diffusion.In(ddim)).Implicit(Say, start, eta: 0.5, noise: turn => noise[turn]);
        AssertClose("DDIM's with noise", noisily, run.Expected("ddim_eta.samples").reshape(noisily.shape), 1e-4);
        var ofImages = new DiffusionSampler(run.OfImages.In(ddim)).Implicit(Say, start);
        AssertClose("DDIM's of images", ofImages, run.Expected("xstart.ddim"), 1e-4);
    }

    private static (double Largest, long Beyond, long Count) Worst(RecordedRcdm run, string kind, string network)
    {
        var parameters = run.Step.State[network].Parameters;
        var (worst, beyond, count, whole) = (0.0, 0L, 0L, new Dictionary<string, Tensor>());
        foreach (var (parameter, shape, start) in parameters.Layout)
        {
            var found = FlatParameters.ViewOf(parameters.Values, start, shape);
            whole[parameter] = found;
            var mask = run.Sample(run.Determined(parameter, found));
            var apart = (run.Sample(found) - run.Expected($"{kind}.{parameter}")).mul(mask).abs();
            (worst, beyond, count) = (
                Math.Max(worst, apart.max().item<float>()), beyond + apart.gt(Usual).sum().item<long>(), count + apart.numel());
        }

        Compare(run, kind, whole);
        return (worst, beyond, count);
    }

    /// <summary>Norms of whole tensors, but for those that hold what is not determined.</summary>
    private static void Compare(RecordedRcdm run, string kind, IReadOnlyDictionary<string, Tensor> found)
    {
        var recorded = run.Facts.GetProperty("norm_and_sum").GetProperty(kind);
        foreach (var (parameter, tensor) in found)
        {
            if (run.Facts.GetProperty("undetermined").TryGetProperty(parameter, out _) && kind != "initial") continue;
            var (expected, norm) = (recorded.GetProperty(parameter)[0].GetDouble(), tensor.to(float64).norm().item<double>());
            Assert.True(Math.Abs(norm - expected) <= 1e-4 * Math.Max(expected, 1e-9), $"{kind} of {parameter}: norm {norm}, recorded {expected}");
        }
    }

    private void AssertLosses(string prefix, (Tensor Square, Tensor? Bound) found, RecordedRcdm run, bool relative)
    {
        var parts = found.Bound is null ? [("loss", found.Square), ("mse", found.Square)]
            : new[] { ("loss", found.Square + found.Bound), ("mse", found.Square), ("vb", found.Bound) };
        foreach (var (part, tensor) in parts.Where(p => run.Has($"{prefix}.{p.Item1}")))
        {
            var expected = run.Expected($"{prefix}.{part}");
            var scale = relative ? Math.Max(1, expected.abs().max().item<float>()) : 1;
            AssertClose($"{prefix}.{part}", tensor, expected, 1e-4 * scale);
        }
    }

    private void AssertClose(string what, Tensor found, Tensor expected, double tolerance)
    {
        Assert.Equal(expected.shape, found.shape);
        var difference = (found - expected).abs().max().item<float>();
        output.WriteLine($"{what}: {difference:g3}");
        Assert.True(difference < tolerance, $"{what} differs by {difference}");
    }
}
