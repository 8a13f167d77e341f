using JepaSharp.Data.Sources.Folders;

namespace JepaSharp.Tests.Data.Sources.Folders;

/// <summary>What names and first bytes are taken for.</summary>
public sealed class FolderNamesTests
{
    [Theory]
    [InlineData("Cat", "cat", true)]
    [InlineData("cat ", "cat", true)]
    [InlineData("caf\u00e9", "cafe\u0301", true)]
    [InlineData("\u0419", "\u0418\u0306", true)]
    [InlineData("\u304c", "\u304b\u3099", true)]
    [InlineData("\ud55c", "\u1112\u1161\u11ab", true)]
    [InlineData("caf\u00e9", "caf\u00e8", false)]
    [InlineData("cafe", "cafe\u0301", false)]
    [InlineData("\u304b", "\u304b\u3099", false)]
    [InlineData("cat", "dog", false)]
    public void Classes_ThatDifferInNextToNothing_AreNoticed(string one, string other, bool areAlike) =>
        Assert.Equal(areAlike, LookAlikes.Notices([one, other]).Any());

    [Theory]
    [InlineData("train", true)]
    [InlineData("Val", true)]
    [InlineData("train2017", true)]
    [InlineData("test_images", true)]
    [InlineData("testset", true)]
    [InlineData("train_station", false)]
    [InlineData("bus", false)]
    [InlineData("valley", false)]
    public void Folder_CalledLikeAPartOfASet_IsKnown(string name, bool isOne) => Assert.Equal(isOne, SetParts.IsOne(name));

    [Theory]
    [InlineData("a.jpg?width=200", "")]
    [InlineData("a.JPG_large", "jpg_large")]
    [InlineData("Dr. Smith at home", "")]
    [InlineData("a.tar.gz", "gz")]
    public void Ending_OfAnyName_IsAnEndingOrNone(string name, string ending) => Assert.Equal(ending, FileKind.Ending(name));

    [Fact]
    public void Content_OfPicturesThatAreNotRead_IsNamed()
    {
        Assert.Equal("HEIC", FileKind.WhatIs("a", [0, 0, 0, 24, .. "ftypheic"u8]));
        Assert.Equal("HEIC", FileKind.WhatIs("a.jfif", [0, 0, 0, 24, .. "ftypmif1"u8]));
        Assert.Equal("AVIF", FileKind.WhatIs("a", [0, 0, 0, 24, .. "ftypavif"u8]));
        Assert.Equal("Photoshop", FileKind.WhatIs("a", "8BPS"u8));
        Assert.Equal(".mp4", FileKind.WhatIs("a.mp4", [0, 0, 0, 24, .. "ftypmp42"u8]));
        Assert.Equal("camera raw", FileKind.WhatIs("a.NEF"));
        Assert.Equal("without ending", FileKind.WhatIs("README"));
        Assert.False(FileKind.IsImage("BM is how a text may begin, too"u8));
        Assert.False(FileKind.IsImage("GIF8 is no picture"u8));
        Assert.True(FileKind.IsImage(EncodedImages.Png(EncodedImages.Picture(4, 4))));
    }

    [Fact]
    public void Names_ThatWouldBeShownAlike_StayApart() => Assert.Equal(["a\\x1B", "a\\x1B (2)"], UniqueNames.Of(["a\\x1B", "a\u001b"]));
}
