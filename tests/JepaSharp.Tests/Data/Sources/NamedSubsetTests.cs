using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources;

public sealed class NamedSubsetTests : IDisposable
{
    private static readonly byte[] Png = EncodedImages.Png(EncodedImages.Picture(6, 5));

    private readonly TemporaryFolder _folder = new();

    public NamedSubsetTests()
    {
        foreach (var name in (string[])["n01/n01_1.png", "n01/n01_2.png", "n02/n02_9.png", "n02/n01_2.png", "n03/x.png"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder["all/" + name])!);
            File.WriteAllBytes(_folder["all/" + name], Png);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void List_OfFileNames_ChoosesThemAndKeepsLabelsOfTheWhole()
    {
        using var subset = Opened("n02_9.png\r\n\nn01_1.png\nn01_1.png\n");
        Assert.Equal(["n01/n01_1.png", "n02/n02_9.png"], subset.Names());
        Assert.Equal(["n01", "n02", "n03"], subset.Classes);
        Assert.Equal(["n01", "n02"], subset.ClassNames());
    }

    [Fact]
    public void List_OfNamesWithFolders_ChoosesBetweenImagesOfOneName()
    {
        using var subset = Opened("n02/n01_2.png\n");
        Assert.Equal(["n02/n01_2.png"], subset.Names());
    }

    [Fact]
    public void List_WithAShare_IsSplitAfterChoosing()
    {
        using var train = Opened("n01_1.png\nn02_9.png\nx.png\n", "&train-share=0.5");
        using var test = Opened("n01_1.png\nn02_9.png\nx.png\n", "&test-share=0.5");
        Assert.Equal(["n01/n01_1.png", "n02/n02_9.png", "n03/x.png"], train.Names().Concat(test.Names()).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("n01_1.png\nn09_9.png\n", "1 of the 2 images that")]
    [InlineData("n01_2.png\n", "the name of two images: n01/n01_2.png and n02/n01_2.png")]
    [InlineData("\n\n", "is empty")]
    public void List_ThatDoesNotFit_IsRefusedAndNotCutShort(string names, string part)
    {
        var refusal = Assert.Throws<JepaException>(() => Opened(names));
        Assert.True(refusal.IsUsage);
        Assert.Contains(part, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void List_Missing_IsRefused() =>
        Assert.Contains("list names", Assert.Throws<JepaException>(() => ImageSources.Open(_folder["all"] + "#only=" + _folder["none.txt"])).Message,
            StringComparison.Ordinal);

    private ImageSource Opened(string names, string options = "")
    {
        File.WriteAllText(_folder["1percent.txt"], names);
        return ImageSources.Open(_folder["all"] + "#only=" + _folder["1percent.txt"] + options);
    }
}
