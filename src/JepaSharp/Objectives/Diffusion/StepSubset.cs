using System.Globalization;
using JepaSharp.Runtime;

namespace JepaSharp.Objectives.Diffusion;

/// <summary>Which of T steps a picture is drawn in: as published, by a text.</summary>
/// <remarks><c>ddimN</c> keeps N steps at equal strides from 0, the smallest stride that gives exactly N; the noisiest steps are then never visited.
/// <c>N</c>, or <c>A,B,C</c> for as many sections of T, keeps so many in each from its first to its last, evenly, rounded half to even. An empty text
/// keeps all.</remarks>
public static class StepSubset
{
    private const string Strided = "ddim";

    /// <summary>Their numbers, rising.</summary>
    /// <param name="text">Which.</param>
    /// <param name="steps">T.</param>
    /// <exception cref="JepaException">The text means nothing, or cannot be met.</exception>
    public static IReadOnlyList<int> Of(string text, int steps)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length == 0) return [.. Enumerable.Range(0, steps)];
        if (text.StartsWith(Strided, StringComparison.Ordinal)) return OfStride(text, Number(text[Strided.Length..], text), steps);
        int[] counts = [.. text.Split(',').Select(part => Number(part, text))];
        var kept = new List<int>();
        for (var (section, start) = (0, 0); section < counts.Length; section++)
        {
            // The first T mod sections are one longer.
            var size = (steps / counts.Length) + (section < steps % counts.Length ? 1 : 0);
            if (counts[section] > size)
                throw Refused(text, string.Create(CultureInfo.InvariantCulture, $"{counts[section]} steps of a section that has {size}"));
            var stride = counts[section] == 1 ? 1 : (size - 1.0) / (counts[section] - 1);
            var at = 0.0;
            for (var i = 0; i < counts[section]; i++, at += stride) kept.Add(start + (int)Math.Round(at, MidpointRounding.ToEven));
            start += size;
        }

        return kept;
    }

    private static int[] OfStride(string text, int wanted, int steps)
    {
        for (var stride = 1; stride < steps; stride++)
        {
            if ((steps + stride - 1) / stride == wanted) return [.. Enumerable.Range(0, wanted).Select(i => i * stride)];
        }

        throw Refused(text, string.Create(CultureInfo.InvariantCulture, $"no stride through {steps} steps that gives {wanted}"));
    }

    private static int Number(string part, string text) =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw Refused(text, "no number above 0");

    private static JepaException Refused(string text, string found) => new(
        $"Steps \"{text}\" of a sampler: found {found}; expected a number such as 100, numbers for sections such as 10,15,20, or ddim and a number "
            + "such as ddim25.", isUsage: true);
}
