using CsCheck;
using JepaSharp.Cli;

namespace JepaSharp.Tests.Cli;

public sealed class NearestNameTests
{
    private static readonly string[] Verbs = ["pretrain", "evaluate", "embed", "export", "inspect", "masks", "scenes", "doctor"];
    private static readonly Gen<string> Words = Gen.String[Gen.Char['a', 'd'], 0, 8];

    [Theory]
    [InlineData("pretran", "pretrain")]
    [InlineData("pertrain", "pretrain")]
    [InlineData("Evaluate", "evaluate")]
    [InlineData("scene", "scenes")]
    [InlineData("mask", "masks")]
    [InlineData("frobnicate", null)]
    [InlineData("x", null)]
    [InlineData("", null)]
    public void Nearest_OfAMistypedVerb_IsTheVerb(string word, string? verb) => Assert.Equal(verb, NearestName.Of(word, Verbs));

    [Fact]
    public void Distance_OfAnyWords_IsSymmetricBoundedAndZeroOnlyForEquals() => Gen.Select(Words, Words).Sample((a, b) =>
    {
        var d = NearestName.Distance(a, b);
        Assert.Equal(d, NearestName.Distance(b, a));
        Assert.InRange(d, Math.Abs(a.Length - b.Length), Math.Max(a.Length, b.Length));
        Assert.Equal(a == b, d == 0);
    });
}
