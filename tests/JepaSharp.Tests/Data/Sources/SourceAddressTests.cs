using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources;

public class SourceAddressTests
{
    [Fact]
    public void Address_AllOptions_AreTakenApart()
    {
        var address = SourceAddress.Parse("a b/list.csv#label=n&where=tower=0&where=split!=dev|hidden&test-share=0.25");
        Assert.Equal(("a b/list.csv", "n", 0.25m), (address.Path, address.Label, address.TestShare));
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
}
