namespace JepaSharp.Data.Loading;

/// <summary>What to do about an image that cannot be read.</summary>
public enum UnreadablePolicy
{
    /// <summary>Note it and go on with the next, until too many have failed.</summary>
    Skip,

    /// <summary>Stop.</summary>
    Fail,
}
