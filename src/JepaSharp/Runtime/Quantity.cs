using System.Globalization;

namespace JepaSharp.Runtime;

/// <summary>How numbers of things stand in a sentence: one thing is never several.</summary>
public static class Quantity
{
    /// <summary>"1 image", "2,000 images".</summary>
    /// <param name="count">How many.</param>
    /// <param name="one">What one is called.</param>
    /// <param name="several">What several are called; null for <paramref name="one"/> and an s.</param>
    public static string Of(long count, string one, string? several = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : several ?? one + "s")}");
}
