using System.Text;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Annotated;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources.Annotated;

public sealed class AnnotatedImagesTests : IDisposable
{
    // As iNaturalist-2018 has it, with the images below another folder and one class that no image is of.
    private const string Whole = """
        {"info": {"year": 2018}, "images": [
          {"id": 7, "width": 4, "height": 4, "file_name": "train_val2018/Aves/3/b.jpg", "license": 3},
          {"id": 2, "width": 4, "height": 4, "file_name": "train_val2018/Fungi/1/a.jpg"}],
         "licenses": [{"id": 1, "name": "x"}],
         "annotations": [{"id": 2, "image_id": 2, "category_id": 1}, {"id": 7, "image_id": 7, "category_id": 3}],
         "categories": [{"id": 3, "name": "owl", "supercategory": "Aves"}, {"id": 2, "name": "finch", "supercategory": "Aves"}, {"id": 1, "name": "morel", "supercategory": "Fungi"}]}
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void File_OfINaturalist_GivesItsImagesWithAllCategoriesAsClassesInTheOrderOfTheirIds()
    {
        using var images = Opened(Whole);
        Assert.Equal(["train_val2018/Aves/3/b.jpg", "train_val2018/Fungi/1/a.jpg"], images.Names());
        Assert.Equal(["morel", "finch", "owl"], images.Classes);
        Assert.Equal(["owl", "morel"], images.ClassNames());
        Assert.Empty(images.Notices);
    }

    [Fact]
    public void File_WithImagesElsewhere_ReadsThemThere()
    {
        var jpeg = EncodedImages.Jpeg(EncodedImages.Picture(12, 9));
        Directory.CreateDirectory(_folder["pictures/train_val2018/Aves/3"]);
        File.WriteAllBytes(_folder["pictures/train_val2018/Aves/3/b.jpg"], jpeg);
        using var images = Opened(Whole, "#images=" + _folder["pictures"]);
        using var image = images.Open(0);
        Assert.Equal((12, 9), (image.Width, image.Height));
        Assert.Contains("no longer there", Assert.Throws<ImageUnreadableException>(() => images.Open(1)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void File_BySuperCategory_MakesThoseTheClasses()
    {
        using var images = Opened(Whole, "#label=supercategory");
        Assert.Equal(["Fungi", "Aves"], images.Classes);
        Assert.Equal(["Aves", "Fungi"], images.ClassNames());
    }

    [Fact]
    public void Image_OfSeveralCategories_HasNoLabelAndIsSaid()
    {
        using var images = Opened(Whole.Replace("{\"id\": 2, \"image_id\": 2",
            "{\"image_id\": 2, \"category_id\": 2}, {\"image_id\": 9, \"category_id\": 2}, {\"id\": 2, \"image_id\": 2", StringComparison.Ordinal));
        Assert.Equal(["owl", null], images.ClassNames());
        Assert.Contains(images.Notices, n => n.StartsWith("1 image is of several categories", StringComparison.Ordinal));
        Assert.Contains(images.Notices, n => n.StartsWith("1 annotation is of images that", StringComparison.Ordinal));
    }

    [Fact]
    public void File_WithoutAnnotations_HasNoLabels()
    {
        using var images = Opened("""{"images": [{"id": 1, "file_name": "a.jpg"}]}""");
        Assert.Empty(images.Classes);
        Assert.Null(images.LabelOf(0));
    }

    [Theory]
    [InlineData("{", "no annotation file")]
    [InlineData("[1]", "no annotation file")]
    [InlineData("""{"scenes": []}""", "names no images")]
    [InlineData("""{"images": [{"id": 1}]}""", "image 1 of 1 has no \"file_name\"")]
    [InlineData("""{"images": [null]}""", "image 1 of 1 has no \"file_name\"")]
    [InlineData(
        """{"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}], "annotations": [{"image_id": 1, "category_id": 1}]}""",
        "two images with the id 1")]
    [InlineData(
        """{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 1, "category_id": 5}], "categories": [null, {"id": 4}]}""",
        "category 5")]
    public void File_ThatIsNone_SaysWhy(string json, string part)
    {
        var refusal = Assert.Throws<JepaException>(() => Opened(json));
        Assert.True(refusal.IsUsage);
        Assert.Contains(part, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#label=kind", "label=supercategory")]
    [InlineData("#images=/nowhere/at/all", "no such folder")]
    public void Options_ThatCannotBe_AreRefused(string options, string part) =>
        Assert.Contains(part, Assert.Throws<JepaException>(() => Opened(Whole, options)).Message, StringComparison.Ordinal);

    [Fact]
    public void File_Damaged_IsReadOrRefused() =>
        SourceContents.AssertReadOrRefused(Encoding.UTF8.GetBytes(Whole), _folder["set.json"], path => new AnnotatedImages(path));

    private AnnotatedImages Opened(string json, string options = "")
    {
        File.WriteAllText(_folder["train2018.json"], json);
        return Assert.IsType<AnnotatedImages>(ImageSources.Open(_folder["train2018.json"] + options));
    }
}
