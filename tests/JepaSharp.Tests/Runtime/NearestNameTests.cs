using CsCheck;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Runtime;

public sealed class NearestNameTests
{
    [Fact]
    public void Distance_AgainstTheRecursiveDefinition_IsTheSame() =>
        Gen.Select(Gen.String[Gen.Char["abc"], 0, 6], Gen.String[Gen.Char["abc"], 0, 6])
            .Sample((from, to) => Assert.Equal(Slow(from, to), NearestName.Distance(from, to)), iter: 2000);

    [Theory]
    [InlineData("crop_sise", "crop_size")]
    [InlineData("CROP-SIZE", "crop_size")]
    [InlineData("batchsize", "batch_size")]
    [InlineData("quux", null)]
    [InlineData("", null)]
    public void Of_AWord_FindsTheNearOneOrNone(string written, string? expected) =>
        Assert.Equal(expected, NearestName.Of(written, ["crop_size", "crop_scale", "batch_size"]));

    [Theory]
    [InlineData("pretran", "pretrain")]
    [InlineData("pertrain", "pretrain")]
    [InlineData("Evaluate", "evaluate")]
    [InlineData("scene", "scenes")]
    [InlineData("mask", "masks")]
    [InlineData("--sed", "--seed")]
    [InlineData("--x", null)]
    [InlineData("frobnicate", null)]
    [InlineData("x", null)]
    public void Of_AMistypedVerbOrOption_IsTheVerbOrOption(string written, string? expected) =>
        Assert.Equal(expected, NearestName.Of(written, ["pretrain", "evaluate", "embed", "export", "masks", "scenes", "--seed", "--y"]));

    private static int Slow(string from, string to)
    {
        if (from.Length == 0 || to.Length == 0) return from.Length + to.Length;
        var best = Slow(from[..^1], to[..^1]) + (from[^1] == to[^1] ? 0 : 1);
        best = Math.Min(best, 1 + Math.Min(Slow(from[..^1], to), Slow(from, to[..^1])));
        return from.Length > 1 && to.Length > 1 && from[^1] == to[^2] && from[^2] == to[^1] ? Math.Min(best, 1 + Slow(from[..^2], to[..^2])) : best;
    }
}
