using JepaSharp.Data.Loading;
using JepaSharp.Runtime;
using JepaSharp.Tests.Data.Sources;

namespace JepaSharp.Tests.Data.Loading;

public sealed class LeftOutImagesTests
{
    [Fact]
    public void Sentence_OfOneOrSeveral_AgreesWithTheNumberAndNamesTheFirst()
    {
        Assert.Equal("1 of 20 fit images could not be read and is left out: dog/broken.jpg.",
            LeftOutImages.Of("fit images", 1, 20, "dog/broken.jpg")!.Sentence);
        Assert.Equal("2 of 1,000 images could not be read and are left out, such as a\\nb.jpg.",
            LeftOutImages.Of("images", 2, 1000, "a\nb.jpg")!.Sentence);
        Assert.Equal("3 of 9 images could not be read and are left out.", LeftOutImages.Of("images", 3, 9, null)!.Sentence);
        Assert.Null(LeftOutImages.Of("images", 0, 9, null));
    }

    [Fact]
    public void LeftOut_OfASource_AreThoseAskedForAndNotRead()
    {
        using var source = new NumberedImages(6);
        Assert.Null(LeftOutImages.Of("images", source, [0, 1, 2, 3, 4, 5]));
        Assert.Null(LeftOutImages.Of("images", source, [4, 2], [2, 4]));
        var some = LeftOutImages.Of("images", source, [4], [2, 3, 4])!;
        Assert.Equal((2, 3, source.NameOf(2)), (some.Unreadable, some.Images, some.Example));
        Assert.Equal(5, LeftOutImages.Of("images", source, [0])!.Unreadable);
    }

    [Theory]
    [InlineData(0, "0 images")]
    [InlineData(1, "1 image")]
    [InlineData(2000, "2,000 images")]
    public void Quantity_OfThings_IsSingularForOne(int count, string words) => Assert.Equal(words, Quantity.Of(count, "image"));
}
