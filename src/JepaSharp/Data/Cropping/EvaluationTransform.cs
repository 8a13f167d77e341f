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
