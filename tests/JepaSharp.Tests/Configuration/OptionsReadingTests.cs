using JepaSharp.Configuration;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Configuration;

public sealed class OptionsReadingTests
{
    [Theory]
    [InlineData("1e-6", 1e-6)]
    [InlineData("1.0e-06", 1e-6)]
    [InlineData("1E-6", 1e-6)]
    [InlineData(".5", 0.5)]
    [InlineData("5.", 5.0)]
    [InlineData("+0.5", 0.5)]
    [InlineData("3", 3.0)]
    public void Number_InAnySpelling_IsRead(string text, double expected) =>
        Assert.Equal(expected, OptionsDocument.Parse($"optimization:\n  lr: {text}\n").Options.Optimization.Lr);

    [Theory]
    [InlineData("[0.2, 0.4]")]
    [InlineData("\n  - 0.2\n  - 0.4")]
    [InlineData("\n    - 0.2\n    - 0.4")]
    [InlineData("[ 0.2,\n      0.4 ]")]
    public void List_InBlockOrFlowStyle_IsRead(string text) =>
        Assert.Equal(new Interval(0.2, 0.4), OptionsDocument.Parse($"data:\n  crop_scale: {text}\n").Options.Data.CropScale);

    [Theory]
    [InlineData("null")]
    [InlineData("~")]
    [InlineData("")]
    public void Null_InAnySpelling_Clears(string text)
    {
        var given = new PretrainOptions { Data = new() { NumWorkers = 3, Path = "a" } };
        Assert.Null(OptionsDocument.Parse($"data:\n  num_workers: {text}\n", null, given).Options.Data.NumWorkers);
        Assert.Null(given.Apply([$"data.path={text}"]).Data.Path);
    }

    [Theory]
    [InlineData("yes", true)]
    [InlineData("True", true)]
    [InlineData("off", false)]
    public void Truth_AsYaml11SpellsIt_IsRead(string text, bool expected) =>
        Assert.Equal(expected, OptionsDocument.Parse($"data:\n  pin_mem: {text}\n").Options.Data.PinMem);

    [Theory]
    [InlineData("/a b/c#d: e", "/a b/c#d: e")]
    [InlineData("C:\\images", "C:\\images")]
    [InlineData("{0000..0099}.tar", "{0000..0099}.tar")]
    [InlineData("a=b", "a=b")]
    [InlineData("'null'", "null")]
    [InlineData("\"a\\tb\"", "a\tb")]
    public void Override_OfAPath_IsTakenAsItStands(string text, string expected) =>
        Assert.Equal(expected, new PretrainOptions().Apply([$"data.path={text}"]).Data.Path);

    [Fact]
    public void Overrides_AndTheFileAndDefaults_WinInThatOrder()
    {
        var chosen = new PretrainOptions { Data = new() { BatchSize = 8, CropSize = 32 }, Mask = new() { PatchSize = 4 } };
        var document = OptionsDocument.Parse("data:\n  batch_size: 16\n  crop_size: 64\n", ["data.crop_size=96", "data.crop_size=128"], chosen);

        Assert.Equal((16, 128, 4), (document.Options.Data.BatchSize, document.Options.Data.CropSize, document.Options.Mask.PatchSize));
        Assert.Equal(["data.batch_size", "data.crop_size"], document.GivenKeys.Order());
    }

    [Fact]
    public void Sections_EmptyOrAbsent_KeepDefaults() =>
        Assert.Equal(new PretrainOptions(), PretrainOptions.Parse("# nothing yet\ndata:\nmask: {}\nmeta: null\n"));

    [Fact]
    public void Source_OfImages_PrefersPathThenJoinsFolders()
    {
        Assert.Equal("a", new DataOptions { Path = "a", RootPath = "b", ImageFolder = "c" }.ResolveSource());
        Assert.Equal(Path.Combine("b", "c"), new DataOptions { RootPath = "b", ImageFolder = "c" }.ResolveSource());
        Assert.Equal("b", new DataOptions { RootPath = "b" }.ResolveSource());
        Assert.Equal("c", new DataOptions { ImageFolder = "c" }.ResolveSource());
        Assert.Null(new DataOptions().ResolveSource());
    }

    [Theory]
    [InlineData(null, true, Precision.Auto)]
    [InlineData(null, false, Precision.Fp32)]
    [InlineData(Precision.Bf16, false, Precision.Bf16)]
    [InlineData(Precision.Fp32, true, Precision.Fp32)]
    public void Precision_WhereGiven_WinsOverThePublishedKey(Precision? precision, bool useBfloat16, Precision expected) =>
        Assert.Equal(expected, new MetaOptions { Precision = precision, UseBfloat16 = useBfloat16 }.ResolvePrecision());
}
