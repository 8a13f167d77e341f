using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Models;

public sealed class ComputationChoiceTests
{
    private static readonly BlockShape Small = new(Width: 32, Heads: 2, Hidden: 64, Tokens: 9, Trained: true);

    private static readonly Computation Kernels = new(ScalarType.Float32, ProductMethod.Float32);
    private static readonly Computation Libtorch = new(ScalarType.Float32, ProductMethod.Libtorch);
    private static readonly Computation Pairs = new(ScalarType.BFloat16, ProductMethod.PairDots);

    [Theory]
    [InlineData(10, 20, 30, "fp32")]
    [InlineData(20, 10, 30, "libtorch-fp32")]
    [InlineData(30, 20, 10, "bf16-dot")]
    [InlineData(10.3, 20, 10, "fp32")] // exacter, and hardly slower
    [InlineData(11.2, 20, 10, "bf16-dot")]
    public void Timings_OfAll_LeadToTheFastest(double kernels, double libtorch, double pairs, string expected)
    {
        var choice = ComputationChoice.FromTimings([new(Kernels, kernels), new(Libtorch, libtorch), new(Pairs, pairs)], "measured now");
        Assert.Equal(expected, choice.Computation.Key);
        Assert.Contains("measured now", choice.Reason, StringComparison.Ordinal);
        Assert.Equal(3, choice.Timings.Count);
    }

    [Fact]
    public void KernelsThatAreSlow_AreNotChosen()
    {
        // Blocks that pretend: the kernels sleep.
        var timings = ComputationTimings.Of(
            Small, [Kernels, Libtorch], (_, computation) => new Pretended(computation == Kernels ? 30 : 3), static () => TimeSpan.FromMilliseconds(
                Environment.TickCount64));
        Assert.Equal(Libtorch, ComputationChoice.FromTimings(timings, "").Computation);
        timings = ComputationTimings.Of(
            Small, [Kernels, Libtorch], (_, computation) => new Pretended(computation == Kernels ? 3 : 30), static () => TimeSpan.FromMilliseconds(
                Environment.TickCount64));
        Assert.Equal(Kernels, ComputationChoice.FromTimings(timings, "").Computation);
    }

    [Fact]
    public void WorkThatCannotBeDone_IsLeftOut()
    {
        var timings = ComputationTimings.Of(
            Small, [Kernels, Libtorch], (_, computation) => new Pretended(1) { Misfit = computation == Kernels ? "width 24" : null },
            static () => TimeSpan.FromMilliseconds(Environment.TickCount64));
        Assert.Equal([Libtorch], timings.Select(t => t.Computation));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Timings_OfRealBlocks_AreOfWhatRunsHere(bool trained)
    {
        var timings = ComputationTimings.Of(Small with { Trained = trained }, Computation.OnCpu);
        Assert.NotEmpty(timings);
        Assert.All(timings, t => Assert.True(t.Milliseconds > 0 && Computation.OnCpu.Contains(t.Computation)));
        Assert.Contains(timings, t => t.Computation == Libtorch);
    }

    [Fact]
    public void Timings_AreKeptForTheNextStart_AndMeasuredAgainWhereDamaged()
    {
        using var cache = new TemporaryFolder();
        var measured = 0;
        Func<BlockShape, IReadOnlyList<Computation>, IReadOnlyList<ComputationTiming>> measure = (_, all) =>
        {
            measured++;
            return [.. all.Select((c, i) => new ComputationTiming(c, i + 1))];
        };
        ComputationChoice Choose(bool anew = false) => ComputationChoice.OnCpu(Precision.Auto, Small, cache.Path, measure, anew);
        var first = Choose();
        Assert.Contains("measured now", first.Reason, StringComparison.Ordinal);
        var second = Choose();
        Assert.Equal((1, first.Computation), (measured, second.Computation));
        Assert.Contains("measured on 20", second.Reason, StringComparison.Ordinal);
        Assert.Equal(first.Timings, second.Timings);
        _ = Choose(anew: true);
        Assert.Equal(2, measured);

        var file = Assert.Single(Directory.GetFiles(cache.Path, "*", SearchOption.AllDirectories));
        foreach (var content in (string[])["", "{", "[]", "{\"when\": 3}", "{\"when\":\"2020-01-01T00:00:00Z\",\"milliseconds\":{\"fp32\":1}}",
            "{\"when\":\"2026-01-01T00:00:00Z\",\"milliseconds\":{\"fp99\":1}}"])
        {
            var before = measured;
            File.WriteAllText(file, content);
            _ = Choose();
            Assert.Equal(before + 1, measured);
        }
    }

    [Fact]
    public void Reason_NamesWhatWasNotTimed_AndThatOneCoreWas()
    {
        using var cache = new TemporaryFolder();
        ComputationChoice Choose() => ComputationChoice.OnCpu(
            Precision.Auto, Small, cache.Path, (_, all) => [.. all.Take(1).Select(c => new ComputationTiming(c, 1) { OnOneCore = true })]);
        foreach (var choice in (ComputationChoice[])[Choose(), Choose()]) // measured, then kept
        {
            Assert.Contains("on one core, others being busy", choice.Reason, StringComparison.Ordinal);
            Assert.EndsWith(string.Join(", ", Computation.OnCpu.Skip(1).Select(c => c.Words)), choice.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Cache_ThatCannotBeWritten_IsDoneWithout()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["file"], "");
        var choice = ComputationChoice.OnCpu(Precision.Auto, Small, folder["file"], (_, all) => [.. all.Select(c => new ComputationTiming(c, 1))]);
        Assert.Contains("measured now", choice.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Precision.Fp32, ScalarType.Float32)]
    [InlineData(Precision.Bf16, ScalarType.BFloat16)]
    public void Precision_AskedFor_IsKeptTo(Precision precision, ScalarType expected)
    {
        var choice = ComputationChoice.OnCpu(precision, Small, null, (_, all) => [.. all.Select((c, i) => new ComputationTiming(c, i + 1))]);
        Assert.Equal(expected, choice.Computation.Precision);
    }

    /// <summary>A width of 24 fits no kernel, and where there are no instructions for it libtorch's bfloat16 is not timed.</summary>
    [Fact]
    public void Precision_ThatNothingTimedHas_IsLeftToLibtorch()
    {
        var choice = ComputationChoice.OnCpu(Precision.Bf16, Small with { Width = 24 }, null, (_, _) => []);
        Assert.Equal("libtorch-bf16", choice.Computation.Key);
        Assert.Contains("the only way", choice.Reason, StringComparison.Ordinal);
        Assert.Empty(ComputationTimings.Of(Small with { Width = 24 }, [Kernels]));
    }

    [Theory]
    [InlineData(100, 121, ScalarType.BFloat16)]
    [InlineData(100, 119, ScalarType.Float32)]
    [InlineData(100, 3, ScalarType.Float32)]
    public void OnAGpu_Bf16_IsChosenOnlyWhereClearlyFaster(double fp32, double bf16, ScalarType expected) =>
        Assert.Equal(expected, ComputationChoice.OnGpu(Precision.Auto, t => t == ScalarType.BFloat16 ? bf16 : fp32).Computation.Precision);

    [Fact]
    public void ARunThatGoesOn_ComputesAsItBegan_WhereItCan()
    {
        var here = Computation.OnCpu[^2].Key; // libtorch's float32 or something of the kernels': there is one everywhere
        Assert.Equal(here, ComputationChoice.AsBefore(here, Precision.Auto, CPU)!.Computation.Key);
        Assert.Null(ComputationChoice.AsBefore(null, Precision.Auto, CPU));
        Assert.Null(ComputationChoice.AsBefore("Float32", Precision.Auto, CPU)); // of an older checkpoint
        Assert.Null(ComputationChoice.AsBefore("libtorch-fp32", Precision.Bf16, CPU));
        Assert.Equal("libtorch-fp32", ComputationChoice.AsBefore("libtorch-fp32", Precision.Fp32, CPU)!.Computation.Key);
    }

    [Fact]
    public void Keys_AreFoundAgain()
    {
        foreach (var key in Computation.Keys) Assert.Equal(key, Computation.Of(key)!.Value.Key);
        Assert.Null(Computation.Of("fp8"));
        _ = Assert.Throws<ArgumentOutOfRangeException>(() => Computation.Default(ScalarType.Float64));
    }

    private sealed class Pretended(int milliseconds) : ITimedWork
    {
        public string? Misfit { get; init; }

        public void Run() => Thread.Sleep(milliseconds);

        public void Dispose()
        {
        }
    }
}
