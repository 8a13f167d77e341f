namespace JepaSharp.Data.Cropping;

/// <summary>The kernel of a resize. Both are widened by the factor of a reduction, so that it does not alias.</summary>
public enum ResampleFilter
{
    /// <summary>Triangle, 1 - |x| for |x| &lt; 1.</summary>
    Bilinear,

    /// <summary>Cubic convolution with a = -0.5 (Keys, 1981), support 2.</summary>
    Bicubic,
}
