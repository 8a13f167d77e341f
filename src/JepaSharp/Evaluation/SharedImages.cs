using System.Runtime.InteropServices;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation;

/// <summary>Finds images that are both fitted on and scored on, by their features: equal images have equal ones.</summary>
public static class SharedImages
{
    /// <summary>A sentence for the user, or null where no image is on both sides.</summary>
    /// <param name="fit">[n, D].</param>
    /// <param name="test">[m, D].</param>
    /// <exception cref="JepaException">All test images are among those to fit on.</exception>
    public static string? Note(FeatureMatrix fit, FeatureMatrix test)
    {
        var known = new HashSet<ulong>(Enumerable.Range(0, fit.Rows).Select(row => Hash(fit.Row(row))));
        var tested = Enumerable.Range(0, test.Rows).Select(row => Hash(test.Row(row))).ToList();
        var same = tested.Count(known.Contains);
        if (same == 0) return null;
        if (same == test.Rows && tested.Distinct().Skip(1).Any()) // features that are all equal say nothing of images
            throw new JepaException(
                $"All {same:n0} test images are also among the images to fit on: a probe knows those, so the result would mean nothing. Give other images to --test.", isUsage: true);
        return $"{same:n0} of {test.Rows:n0} test images look exactly like an image to fit on: results are too good by that much.";
    }

    /// <summary>FNV-1a over the bits, 64 bits wide.</summary>
    private static ulong Hash(ReadOnlySpan<float> row)
    {
        var hash = 14695981039346656037UL;
        foreach (var bits in MemoryMarshal.Cast<float, uint>(row)) hash = (hash ^ bits) * 1099511628211UL;
        return hash ^ (hash >> 29);
    }
}
