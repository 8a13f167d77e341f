namespace JepaSharp.Masking;

/// <summary>Whose multi-block masks are drawn where the paper and the published code differ.</summary>
public enum MaskCompatibility
{
    /// <summary>The distribution that the paper states (section 3 and appendix A.1).</summary>
    Paper,

    /// <summary>
    /// The published code's: the last row and column of patches are in no block, a block is smaller than the grid, one random number
    /// sets both scale and aspect, and a batch is cut to its shortest mask by dropping the highest indices.
    /// </summary>
    Reference,
}
