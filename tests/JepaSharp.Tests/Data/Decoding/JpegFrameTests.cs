using JepaSharp.Data.Decoding;

namespace JepaSharp.Tests.Data.Decoding;

public class JpegFrameTests
{
    [Theory]
    [InlineData(".jpg", 0)]
    [InlineData(".jpg[interlace]", 3)] // chroma has a quarter of the samples: 1.5 of two bytes
    [InlineData(".jpg[interlace,subsample_mode=off]", 6)]
    public void CoefficientBytes_OfAFrame_AreTwoForEachSampleOfAProgressiveOne(string suffix, int bytesPerPixel)
    {
        var jpeg = EncodedImages.ByVips(EncodedImages.Picture(64, 48), suffix);
        Assert.Equal(bytesPerPixel * 64 * 48, JpegFrame.CoefficientBytes(jpeg));
        Assert.Equal(bytesPerPixel * 64 * 48, JpegFrame.CoefficientBytes(EncodedImages.WithOrientation(jpeg, 6)));
    }

    [Fact]
    public void CoefficientBytes_OfAnyPartOfAFile_ThrowsNothing()
    {
        var jpeg = EncodedImages.ByVips(EncodedImages.Picture(16, 16), ".jpg[interlace]");
        for (var length = 0; length <= jpeg.Length; length++) Assert.InRange(JpegFrame.CoefficientBytes(jpeg.AsSpan(0, length)), 0, 3 * 16 * 16);
    }
}
