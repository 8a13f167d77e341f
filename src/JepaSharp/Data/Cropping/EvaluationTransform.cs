namespace JepaSharp.Data.Cropping;

/// <summary>How an image is brought to the model's size where nothing is random: for features, probes and embeddings.</summary>
public abstract record EvaluationTransform
{
    private protected EvaluationTransform(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        Size = size;
    }

    /// <summary>Height and width of the result in pixels.</summary>
    public int Size { get; }

    /// <summary>The crop of an image of the given size.</summary>
    public abstract CropGeometry GeometryOf(int width, int height);

    /// <summary>
    /// The paper's: the shorter side resized to size / 0.875 (256 for 224), bicubic, then the centre. Rounding as torchvision's <c>Resize</c> and
    /// <c>CenterCrop</c>: the longer side downwards, the corner half to even.
    /// </summary>
    public static EvaluationTransform CenterCrop(int size, ResampleFilter filter = ResampleFilter.Bicubic) => new CenterCropTransform(size, filter);

    /// <summary>Hugging Face's processor for I-JEPA: the whole image squashed to a square, bilinear.</summary>
    public static EvaluationTransform Squash(int size, ResampleFilter filter = ResampleFilter.Bilinear) => new SquashTransform(size, filter);

    /// <summary>The largest square in the middle, resized: all of a square image, and nothing of it cut away.</summary>
    public static EvaluationTransform CenterSquare(int size, ResampleFilter filter = ResampleFilter.Bilinear) =>
        new CenterSquareTransform(size, filter);

    private sealed record CenterSquareTransform(int Side, ResampleFilter Filter) : EvaluationTransform(Side)
    {
        public override CropGeometry GeometryOf(int width, int height)
        {
            var shorter = Math.Min(width, height);
            return CropGeometry.Of(new PixelBox((width - shorter) / 2, (height - shorter) / 2, shorter, shorter), Side, Side, Filter);
        }
    }

    private sealed record CenterCropTransform(int CropSize, ResampleFilter Filter) : EvaluationTransform(CropSize)
    {
        private const double Share = 0.875;

        public override CropGeometry GeometryOf(int width, int height)
        {
            var shorter = (int)Math.Round(CropSize / Share);
            var longer = (int)((long)shorter * Math.Max(width, height) / Math.Min(width, height));
            var (w, h) = width <= height ? (shorter, longer) : (longer, shorter);
            var left = (int)Math.Round((w - CropSize) / 2.0);
            var top = (int)Math.Round((h - CropSize) / 2.0);
            return new CropGeometry(PixelBox.Whole(width, height), w, h, new PixelBox(left, top, CropSize, CropSize), Filter);
        }
    }

    private sealed record SquashTransform(int Side, ResampleFilter Filter) : EvaluationTransform(Side)
    {
        public override CropGeometry GeometryOf(int width, int height) => CropGeometry.Of(PixelBox.Whole(width, height), Side, Side, Filter);
    }
}

/// <summary>The kernel of a resize. Both are widened by the factor of a reduction, so that it does not alias.</summary>
public enum ResampleFilter
{
    /// <summary>Triangle, 1 - |x| for |x| &lt; 1.</summary>
    Bilinear,

    /// <summary>Cubic convolution with a = -0.5 (Keys, 1981), support 2.</summary>
    Bicubic,
}

/// <summary>A box of an image, the size it is resized to, and the part of the result that is wanted.</summary>
/// <param name="Box">Pixels of the image; what lies outside plays no part, as if it had been cut away first.</param>
/// <param name="Width">W in pixels that the box is resized to.</param>
/// <param name="Height">H in pixels that the box is resized to.</param>
/// <param name="Window">The wanted part of the Height x Width result.</param>
/// <param name="Filter">Kernel of the resize.</param>
public readonly record struct CropGeometry(PixelBox Box, int Width, int Height, PixelBox Window, ResampleFilter Filter)
{
    /// <summary>A box resized to a whole output.</summary>
    public static CropGeometry Of(PixelBox box, int width, int height, ResampleFilter filter) =>
        new(box, width, height, PixelBox.Whole(width, height), filter);
}
