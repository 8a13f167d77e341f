using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources;

public class SourceAddressTests
{
    [Fact]
    public void Address_AllOptions_AreTakenApart()
    {
        var address = SourceAddress.Parse("a b/list.csv#label=n&where=tower=0&where=split!=dev|hidden&test-share=0.25");
        Assert.Equal(("a b/list.csv", "n", (0.25m, true)), (address.Path, address.Label, address.Shares.Single()));
        Assert.Equal(["tower", "split"], address.Where.Select(w => w.Column));
        Assert.True(address.Where[0].Holds("0"));
        Assert.False(address.Where[0].Holds("1"));
        Assert.True(address.Where[1].Holds("test"));
        Assert.False(address.Where[1].Holds("hidden"));
    }

    [Fact]
    public void Address_PathThatExistsWithAHash_IsTakenLiterally()
    {
        using var folder = new TemporaryFolder();
        var path = folder["set#label=1"];
        Directory.CreateDirectory(path);
        Assert.Equal(path, SourceAddress.Parse(path).Path);
    }

    [Theory]
    [InlineData("x#lable=1", "lable")]
    [InlineData("x#label", "no value")]
    [InlineData("x#test-share=1.5", "1.5")]
    [InlineData("x#where=tower", "where=tower")]
    [InlineData("scenes:10#size=big", "whole number")]
    [InlineData("scenes:10#label=count", "means nothing")]
    [InlineData("scenes:none", "number of scenes")]
    [InlineData("", "empty")]
    [InlineData("/nowhere/at/all", "does not exist")]
    public void Address_ThatCannotBe_SaysWhy(string address, string part)
    {
        var refusal = Assert.Throws<JepaException>(() => ImageSources.Open(address));
        Assert.True(refusal.IsUsage);
        Assert.Contains(part, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Address_MadeWhole_MeansTheSameFromEveryFolder()
    {
        string Full(string path) => Path.GetFullPath(path);
        Assert.Equal($"{Full("a b")}#part=test", SourceAddress.Whole("a b#part=test"));
        Assert.Equal(
            $"{Full("l.csv")}#images={Full("../i")}&label=n&only={Full("o.txt")}", SourceAddress.Whole("l.csv#images=../i&label=n&only=o.txt"));
        Assert.Equal("scenes:8000#size=64", SourceAddress.Whole("scenes:8000#size=64"));
        Assert.Equal(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "photos"), SourceAddress.Whole("~/photos"));
    }

    [Fact]
    public void Address_InAFolderWithAHashAndAnAmpersand_IsReadBackAsItWasWritten()
    {
        using var folder = new TemporaryFolder();
        var odd = Directory.CreateDirectory(folder["R&D #2"]).FullName;
        File.WriteAllText(Path.Combine(odd, "l.csv"), "");
        var address = SourceAddress.Parse(SourceAddress.Whole($"{odd}/l.csv#images={odd}&label=n"));
        Assert.Equal((Path.Combine(odd, "l.csv"), odd, "n"), (address.Path, address.Images, address.Label));
    }
}
