using JepaSharp.Configuration;
using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Configuration;

public sealed class MaskFeasibilityTests
{
    private const int Settings = 4000;

    /// <summary>Of settings that are valid by themselves, the configuration takes those that the sampler takes, and no others.</summary>
    [Fact]
    public void Configuration_OnRandomSettings_TakesThoseThatCanBeSampled()
    {
        var taken = 0;
        for (var i = 0; i < Settings; i++)
        {
            var (mask, side) = Drawn(i);
            var problems = new PretrainOptions { Data = new() { CropSize = side * mask.PatchSize }, Mask = mask }.FindProblems();
            Assert.All(problems, problem => Assert.Equal("data.crop_size", problem.Key));
            var masking = (MultiBlockMaskingOptions)mask.On(new PatchGrid(side, side));
            if (problems.Count == 0)
            {
                taken++;
                AssertIsSampled(masking);
            }
            else
            {
                Assert.True(Assert.Throws<JepaException>(() => new MaskSampler(masking)).IsUsage);
                AssertCannotBeSampled(masking, problems[0].Found);
            }
        }

        Assert.InRange(taken, Settings / 5, Settings * 4 / 5); // both verdicts are put to the test
    }

    [Fact]
    public void Configuration_OfAnEightByEightGridThatKeepsForty_IsTaken()
    {
        var options = new PretrainOptions { Data = new() { CropSize = 64 }, Mask = new() { PatchSize = 8, MinKeep = 40 } };
        Assert.Empty(options.FindProblems());
        AssertIsSampled(options.Mask.On(new PatchGrid(8, 8)));
    }

    [Theory]
    [InlineData(8, 10, MaskCompatibility.Paper, true)]
    [InlineData(8, 4, MaskCompatibility.Reference, true)]
    [InlineData(8, 9, MaskCompatibility.Reference, false)]
    [InlineData(4, 10, MaskCompatibility.Paper, true)]
    [InlineData(4, 10, MaskCompatibility.Reference, false)]
    [InlineData(3, 10, MaskCompatibility.Paper, false)]
    [InlineData(1, 1, MaskCompatibility.Paper, false)]
    [InlineData(2, 1, MaskCompatibility.Paper, true)]
    public void Grid_WithPublishedScales_FitsOrNot(int side, int minKeep, MaskCompatibility mode, bool fits) =>
        Assert.Equal(
            fits, MaskFeasibility.Explain(new MaskOptions { MinKeep = minKeep, Compatibility = mode }.On(new PatchGrid(side, side))) is null);

    [Fact]
    public void SmallestGrid_OfRandomSettings_FitsAndNoSmallerDoes()
    {
        for (var i = 0; i < 200; i++)
        {
            var (mask, side) = Drawn(i);
            if (MaskFeasibility.SmallestGrid(mask.On(new PatchGrid(side, side))) is not { } smallest) continue;
            Assert.Null(MaskFeasibility.Explain(mask.On(smallest)));
            for (var less = 1; less < smallest.Width; less++) Assert.NotNull(MaskFeasibility.Explain(mask.On(new PatchGrid(less, less))));
        }
    }

    // Sizes that the published sampler drew for these grids (target_sizes in reference_numbers.json).
    [Theory]
    [InlineData(14, new[] { 30, 35, 36, 40 })]
    [InlineData(16, new[] { 35, 36, 42, 48, 54 })]
    [InlineData(12, new[] { 20, 24, 25, 30 })]
    [InlineData(8, new[] { 9, 12 })]
    public void Reference_OneDrawForScaleAndAspect_GivesTheRecordedTargetSizes(int side, int[] recorded)
    {
        var rule = RuleOf(new MaskOptions { Compatibility = MaskCompatibility.Reference }, side);
        var stream = new RandomStream(0, RandomPurpose.MaskSize);
        var drawn = Enumerable.Range(0, 4000).Select(_ => rule.DrawSizes(ref stream).Target.Count).Distinct().Order();
        Assert.Equal(recorded, drawn);
    }

    [Theory]
    [InlineData(MaskCompatibility.Paper, 14)]
    [InlineData(MaskCompatibility.Reference, 13)]
    public void Context_OfTheWholeGrid_IsCappedAsTheModeSays(MaskCompatibility mode, int side)
    {
        var rule = RuleOf(new MaskOptions { EncMaskScale = new(1, 1), Compatibility = mode }, 14);
        var stream = new RandomStream(0, RandomPurpose.MaskSize);
        Assert.Equal(new BlockSize(side, side), rule.DrawSizes(ref stream).Context);
    }

    [Fact]
    public void Validate_GridTooSmall_NamesTheSmallestCropThatWorks()
    {
        var options = new PretrainOptions { Data = new() { CropSize = 32 } };
        var problem = Assert.Single(options.FindProblems());
        Assert.Equal("data.crop_size", problem.Key);
        Assert.Contains("a grid of 2x2 patches of 16 pixels", problem.Found, StringComparison.Ordinal);
        Assert.Contains("at least 4x4: data.crop_size 64 or more", problem.Expected, StringComparison.Ordinal);
        Assert.Empty((options with { Data = options.Data with { CropSize = 64 } }).FindProblems());
    }

    [Fact]
    public void Validate_TargetsThatCoverTheContext_SayThatNoGridWorks()
    {
        var options = new PretrainOptions { Mask = new() { EncMaskScale = new(0.3, 0.4), PredMaskScale = new(0.5, 0.6) } };
        Assert.Contains("smaller mask.pred_mask_scale", Assert.Single(options.FindProblems()).Expected, StringComparison.Ordinal);
        Assert.Empty((options with { Mask = options.Mask with { AllowOverlap = true } }).FindProblems());
    }

    private static (MaskOptions Mask, int Side) Drawn(int number)
    {
        var random = new RandomStream(7, RandomPurpose.Evaluation, number);
        double context = random.NextDouble(0.3, 1), target = random.NextDouble(0.02, 0.5), aspect = random.NextDouble(0.3, 1.5);
        var mask = new MaskOptions
        {
            PatchSize = 4,
            EncMaskScale = new(context, random.NextDouble(context, 1)),
            PredMaskScale = new(target, target + random.NextDouble(0, 0.3)),
            AspectRatio = new(aspect, aspect + random.NextDouble(0, 1)),
            NumEncMasks = 1 + random.NextInt(3),
            NumPredMasks = 1 + random.NextInt(6),
            MinKeep = 1 + random.NextInt(60),
            AllowOverlap = random.NextInt(2) == 0,
            Compatibility = random.NextInt(2) == 0 ? MaskCompatibility.Paper : MaskCompatibility.Reference,
        };
        return (mask, 1 + random.NextInt(20));
    }

    private static MultiBlockRule RuleOf(MaskOptions mask, int side) =>
        MultiBlockRule.Of((MultiBlockMaskingOptions)mask.On(new PatchGrid(side, side)));

    private static void AssertIsSampled(MaskingOptions masking)
    {
        var sampler = new MaskSampler(masking);
        for (var step = 0; step < 20; step++) Assert.True(sampler.Sample(3, step, 3).ContextLength >= masking.MinKeep);
    }

    /// <summary>Sizes are drawn that need not leave enough patches, and the blocks that the message speaks of are among them.</summary>
    private static void AssertCannotBeSampled(MultiBlockMaskingOptions masking, string message)
    {
        const int Steps = 300;
        var targets = new HashSet<BlockSize>();
        var contexts = new HashSet<BlockSize>();
        if (masking.Compatibility == MaskCompatibility.Paper)
        {
            var grid = masking.Grid;
            var targetSizes = AdmissibleSizes.Of(grid, masking.TargetScale, masking.TargetAspect);
            var contextSizes = AdmissibleSizes.Of(grid, masking.ContextScale, new Interval(1, 1));
            for (var i = 0; i <= Steps; i++)
            {
                contexts.Add(AdmissibleSizes.Nearest(contextSizes, grid, masking.ContextScale.At((double)i / Steps), 1));
                for (var j = 0; j <= Steps; j++)
                {
                    var (scale, aspect) = (masking.TargetScale.At((double)i / Steps), masking.TargetAspect.At((double)j / Steps));
                    targets.Add(AdmissibleSizes.Nearest(targetSizes, grid, scale, aspect));
                }
            }

            // Both in the grid's first corner, they share all that they can.
            var fewest = contexts.Min(c => c.Count - (masking.AllowOverlap ? 0 : targets.Max(t => Shared(c, t))));
            Assert.True(fewest < masking.MinKeep, message);
        }
        else
        {
            var rule = new ReferenceBlocks(masking);
            const int Cells = 10_000;
            for (var i = 0; i < Cells; i++)
            {
                Search(targets, r => rule.Size(masking.TargetScale.At(r), masking.TargetAspect.At(r)), (double)i / Cells, (i + 1.0) / Cells);
                Search(contexts, r => rule.Size(masking.ContextScale.At(r), 1), (double)i / Cells, (i + 1.0) / Cells);
            }

            Assert.True(Math.Min(targets.Min(t => t.Count), contexts.Min(c => c.Count)) <= masking.MinKeep, message);
        }

        var named = targets.Select(t => $"a target block of {t}").Concat(targets.Select(t => $"a target block can be {t}"))
            .Concat(contexts.Select(c => $"a context block of {c}")).Concat(contexts.Select(c => $"a context block can be {c}"));
        Assert.True(named.Any(name => message.Contains(name, StringComparison.Ordinal)), $"{message}: none of its blocks is drawn from {masking}");
    }

    private static int Shared(BlockSize one, BlockSize other) => Math.Min(one.Height, other.Height) * Math.Min(one.Width, other.Width);

    /// <summary>Sizes between two numbers, by halving wherever the ends differ: a size may be drawn once in a million times.</summary>
    private static void Search(HashSet<BlockSize> found, Func<double, BlockSize> size, double from, double to)
    {
        var (first, last) = (size(from), size(to));
        found.Add(first);
        if (first == last || to - from < 1e-12) return;
        var middle = (from + to) / 2;
        Search(found, size, from, middle);
        Search(found, size, middle, to);
    }
}
