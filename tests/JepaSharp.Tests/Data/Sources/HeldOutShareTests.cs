using CsCheck;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources;

public class HeldOutShareTests
{
    // int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64 in Python.
    [Theory]
    [InlineData("a.jpg")]
    [InlineData("cat/1.png")]
    [InlineData("日本/ä.webp")]
    public void Name_Anywhere_IsHeldOutByItsHashAlone(string name)
    {
        var fraction = Fractions[name];
        Assert.False(HeldOutShare.IsHeldOut(name, (decimal)(fraction - 1e-6)));
        Assert.True(HeldOutShare.IsHeldOut(name, (decimal)(fraction + 1e-6)));
    }

    private static readonly Dictionary<string, double> Fractions = new()
    {
        ["a.jpg"] = 0.314865904,
        ["cat/1.png"] = 0.414970651,
        ["日本/ä.webp"] = 0.272117882,
    };

    [Fact]
    public void Sides_OfOneShare_AreDisjointAndWhole()
    {
        using var test = new HeldOutShare(new NumberedImages(3000), 0.1m, heldOut: true);
        using var train = new HeldOutShare(new NumberedImages(3000), 0.1m, heldOut: false);
        Assert.InRange(test.Count, 250, 350);
        Assert.Empty(test.Names().Intersect(train.Names()));
        Assert.Equal(3000, test.Count + train.Count);
    }

    [Theory]
    [InlineData("0.1", true)]
    [InlineData("0.2", true)]
    [InlineData("0.2", false)]
    public void OfPart_OfOneSide_IsAShareOfThatSide(string share, bool heldOut)
    {
        var given = decimal.Parse(share, System.Globalization.CultureInfo.InvariantCulture);
        using var side = new HeldOutShare(new NumberedImages(10_000), given, heldOut);
        var (test, train) = (HeldOutShare.OfPart(side, 0.2m, heldOut: true), HeldOutShare.OfPart(side, 0.2m, heldOut: false));
        Assert.InRange((double)test.Count / side.Count, 0.15, 0.25);
        Assert.Empty(test.Names().Intersect(train.Names()));
        Assert.Equal(side.Count, test.Count + train.Count);
    }

    [Fact]
    public void OfPart_OfAWhole_IsThePlainSplit()
    {
        using var whole = new NumberedImages(500);
        Assert.Equal(new HeldOutShare(whole, 0.2m, heldOut: true).Names(), HeldOutShare.OfPart(whole, 0.2m, heldOut: true).Names());
    }

    [Fact]
    public void LargerShare_HoldsOutTheSmallerOnesImagesAndMore() =>
        Gen.Select(Gen.String, Gen.Decimal[0.01m, 0.98m]).Sample(
            (name, share) => !HeldOutShare.IsHeldOut(name, share) || HeldOutShare.IsHeldOut(name, share + 0.01m));

    [Fact]
    public void Addresses_TestAndTrainShare_AreTheTwoSides()
    {
        using var test = ImageSources.Open("scenes:500#test-share=0.2");
        using var train = ImageSources.Open("scenes:500#train-share=0.8");
        Assert.Equal(500, test.Count + train.Count);
        Assert.Empty(test.Names().Intersect(train.Names()));
        Assert.All(test.Names(), n => Assert.True(HeldOutShare.IsHeldOut(n, 0.2m)));
    }

    [Fact]
    public void Addresses_SharesOfAShare_AreTheTwoSidesOfIt()
    {
        using var part = ImageSources.Open("scenes:500#test-share=0.2");
        using var test = ImageSources.Open("scenes:500#test-share=0.2&test-share=0.2");
        using var train = ImageSources.Open("scenes:500#test-share=0.2&train-share=0.8");
        using var small = ImageSources.Open("scenes:500#train-share=0.8&test-share=0.2&train-share=0.5");
        Assert.Equal(part.Names().Order(), test.Names().Concat(train.Names()).Order());
        Assert.InRange(test.Count, 5, part.Count / 2);
        Assert.InRange(small.Count, 20, 60); // 40 are expected of 500
        var tooMany = Assert.Throws<JepaException>(() => ImageSources.Open("scenes:500#" + string.Join('&', Enumerable.Repeat("test-share=0.9", 5))));
        Assert.True(tooMany.IsUsage);
        Assert.Contains("split by name 4 times", tooMany.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void View_KeepsLabelsColumnsAndPixels()
    {
        using var whole = ImageSources.Open("scenes:40#size=16");
        using var part = new HeldOutShare(ImageSources.Open("scenes:40#size=16"), 0.5m, heldOut: true);
        for (var i = 0; i < part.Count; i++)
        {
            var at = Array.IndexOf(whole.Names(), part.NameOf(i));
            Assert.Equal(whole.ValueOf(at, "count"), part.ValueOf(i, "count"));
            Assert.Equal(whole.Pixels(at), part.Pixels(i));
        }
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("-0.1")]
    public void Share_OutOfRange_IsRefused(string share) =>
        Assert.True(Assert.Throws<JepaException>(() => new HeldOutShare(new NumberedImages(10),
            decimal.Parse(share, System.Globalization.CultureInfo.InvariantCulture), true)).IsUsage);

    [Fact]
    public void Share_ThatLeavesNone_IsRefused() =>
        Assert.Contains("none", Assert.Throws<JepaException>(() => new HeldOutShare(new NumberedImages(1), 0.000001m, heldOut: true)).Message,
            StringComparison.Ordinal);
}
