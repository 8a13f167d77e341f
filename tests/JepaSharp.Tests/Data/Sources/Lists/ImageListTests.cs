using CsCheck;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Lists;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources.Lists;

public sealed class ImageListTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void List_WithHead_TakesPathLabelAndNumbersByName()
    {
        using var list = Written("id,file,label,weight\n7,b.png,dog,1.5\n8,a.png,cat,\n");
        Assert.Equal(["b.png", "a.png"], list.Names());
        Assert.Equal(["cat", "dog"], list.Classes);
        Assert.Equal(["dog", "cat"], list.ClassNames());
        Assert.Equal(["id", "weight"], list.Columns);
        Assert.Equal((8.0, 1.5, (double?)null), (list.ValueOf(1, "id"), list.ValueOf(0, "weight"), list.ValueOf(1, "weight")));
        Assert.Throws<ArgumentException>(() => list.ValueOf(0, "label"));
    }

    [Fact]
    public void List_WithoutHead_TakesTheSecondOfTwoColumnsAsLabel()
    {
        using var list = Written("b.png,10\na.png,9\nc.png,\n");
        Assert.Equal(["9", "10"], list.Classes);
        Assert.Equal(["10", "9", null], list.ClassNames());
        Assert.Contains("1 of 3 images has no label", Assert.Single(list.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void List_OfPathsAlone_HasNoLabels()
    {
        using var list = Written("\ufeffa.png\r\n\r\nb.png");
        Assert.Equal(["a.png", "b.png"], list.Names());
        Assert.Empty(list.Classes);
    }

    [Fact]
    public void List_QuotedFields_KeepDelimitersQuotesAndLineEnds()
    {
        using var list = Written("path,label\n\"a,b.png\",\"say \"\"cat\"\"\"\n\"c\nd.png\",x\n");
        Assert.Equal(["a,b.png", "c\\nd.png"], list.Names());
        Assert.Equal("say \"cat\"", list.ClassNames()[0]);
    }

    [Theory]
    [InlineData("val_places205.csv")]
    [InlineData("train.txt")]
    public void List_OfPlaces205_TakesWhatStandsBehindTheLastSpaceAsLabel(string name)
    {
        File.WriteAllText(_folder[name], "a/abbey/gsun_1.jpg 10\r\nb/my pictures/x 2.jpg 9\n\nc/none.jpg 9\n");
        using var list = ImageSources.Open(_folder[name]);
        Assert.Equal(["a/abbey/gsun_1.jpg", "b/my pictures/x 2.jpg", "c/none.jpg"], list.Names());
        Assert.Equal(["9", "10"], list.Classes);
        Assert.Equal(["10", "9", "9"], list.ClassNames());
    }

    [Fact]
    public void List_OfSpacesWithARowWithoutLabel_SaysWhichLine()
    {
        File.WriteAllText(_folder["val.csv"], "a.jpg 1\n\nb.jpg\n");
        Assert.Contains(
            "line 3 has 1 fields", Assert.Throws<JepaException>(() => ImageSources.Open(_folder["val.csv"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void List_WhoseConditionsNothingMeets_SaysWhatTheColumnsHold()
    {
        File.WriteAllText(_folder["rows.csv"], "path,split\na.png,dev\nb.png,test\n");
        var refusal = Assert.Throws<JepaException>(() => ImageSources.Open(_folder["rows.csv"] + "#where=split=tset"));
        Assert.Contains("\"split\" holds dev, test", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void List_OfNamesWithSpacesAlone_HasNoLabels()
    {
        File.WriteAllText(_folder["names.txt"], "my cat.jpg\nmy dog 2.jpg\n");
        using var list = ImageSources.Open(_folder["names.txt"]);
        Assert.Equal(["my cat.jpg", "my dog 2.jpg"], list.Names());
        Assert.Empty(list.Classes);
    }

    [Fact]
    public void List_WithImagesElsewhere_ReadsThemThere()
    {
        Directory.CreateDirectory(_folder["pictures/a"]);
        File.WriteAllBytes(_folder["pictures/a/x.png"], EncodedImages.Png(EncodedImages.Picture(5, 4)));
        File.WriteAllText(_folder["val.csv"], "a/x.png 1\n");
        using var list = ImageSources.Open($"{_folder["val.csv"]}#images={_folder["pictures"]}");
        using var image = list.Open(0);
        Assert.Equal((5, 4), (image.Width, image.Height));
        Assert.Contains("no such folder",
            Assert.Throws<JepaException>(() => ImageSources.Open($"{_folder["val.csv"]}#images={_folder["nowhere"]}")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void List_SemicolonsAndTabs_AreFound()
    {
        using var semicolons = Written("path;label\na.png;x\n");
        Assert.Equal(["x"], semicolons.Classes);
        File.WriteAllText(_folder["t.tsv"], "path\tlabel\na, b.png\ty\n");
        using var tabs = new ImageList(_folder["t.tsv"]);
        Assert.Equal("a, b.png", tabs.NameOf(0));
    }

    [Fact]
    public void List_AnyRows_RoundTrip() =>
        Gen.Select(Gen.String[Gen.Char["ab,;\"\n\t é"], 1, 8], Gen.String[Gen.Char["xy,\" "], 1, 4]).Array[1, 12].Sample(rows =>
        {
            using var list = Written("path,label\n" + string.Concat(rows.Select(r => $"{Quoted(r.Item1)},{Quoted(r.Item2)}\n")));
            return list.Names().SequenceEqual(rows.Select(r => PrintableName.Of(r.Item1)))
                && list.ClassNames().SequenceEqual(rows.Select(r => r.Item2));
        }, iter: 50, threads: 1);

    [Fact]
    public void List_Conditions_ChooseRowsAndAnyColumnLabels()
    {
        File.WriteAllText(_folder["l.csv"], "file,split,n,tower\na.png,dev,3,0\nb.png,dev,4,1\nc.png,test,3,0\nd.png,hidden,1,0\n");
        using var list = ImageSources.Open(_folder["l.csv"] + "#label=n&where=tower=0&where=split=dev|hidden");
        Assert.Equal(["a.png", "d.png"], list.Names());
        Assert.Equal(["1", "3"], list.Classes);
        Assert.Contains("n, tower", Refusal("l.csv#label=count"), StringComparison.Ordinal);
        Assert.Contains("conditions", Refusal("l.csv#where=tower=7"), StringComparison.Ordinal);
    }

    [Fact]
    public void List_OfImagesThatAreNotThere_SaysWhichWhenRead()
    {
        File.WriteAllBytes(_folder["here.png"], EncodedImages.Png(EncodedImages.Picture(5, 4)));
        using var list = Written("here.png\ngone.png\n");
        Assert.Equal(60, list.Pixels(0).Length);
        Assert.Equal("gone.png", Assert.Throws<ImageUnreadableException>(() => list.Open(1)).Name);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("path,label\n", "lists no image")]
    [InlineData("path,label\na.png,\"x\n", "never closed")]
    [InlineData("path,label\na.png\n", "1 fields")]
    [InlineData("path,path\na.png,b\n", "two columns")]
    [InlineData("path,label\na\0.png,b\n", "not text")]
    [InlineData("path,label\n,b\n", "no path")]
    public void List_ThatIsNone_SaysWhy(string text, string part)
    {
        File.WriteAllText(_folder["l.csv"], text);
        Assert.Contains(part, Refusal("l.csv"), StringComparison.Ordinal);
    }

    [Fact]
    public void List_OfOneEndlessField_IsRefusedBeforeItFillsMemory()
    {
        File.WriteAllText(_folder["l.csv"], "a.png,b\n" + new string('x', 3 << 20));
        Assert.Contains("longer", Refusal("l.csv"), StringComparison.Ordinal);
    }

    [Fact]
    public void List_OfBytes_IsReadOrRefused()
    {
        var whole =
            System.Text.Encoding.UTF8.GetBytes("path,label,n\n" + string.Concat(Enumerable.Range(0, 30).Select(i => $"{i}.png,\"c {i % 3}\",{i}\n")));
        SourceContents.AssertReadOrRefused(whole, _folder["h.csv"], p => new ImageList(p));
    }

    private static string Quoted(string field) => $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private ImageList Written(string text)
    {
        File.WriteAllText(_folder["list.csv"], text);
        return new ImageList(_folder["list.csv"]);
    }

    private string Refusal(string address)
    {
        var refusal = Assert.Throws<JepaException>(() => ImageSources.Open(_folder[address]));
        Assert.True(refusal.IsUsage);
        return refusal.Message;
    }
}
