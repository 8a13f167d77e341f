using System.Globalization;
using System.Text;

namespace JepaSharp.Faults;

/// <summary>A soak's samples as a picture: one strip each for memory, handles, threads and tensors.</summary>
internal static class SoakPicture
{
    private const int Width = 900, Strip = 110, Left = 150, Gap = 20;

    public static string Of(IReadOnlyList<SoakSample> samples)
    {
        (string Name, Func<SoakSample, double> Of)[] strips =
        [
            ("resident MB", s => s.ResidentMegabytes), ("managed MB", s => s.ManagedMegabytes), ("handles", s => s.Handles),
            ("threads", s => s.Threads), ("live tensors", s => s.Tensors),
        ];
        var picture = new StringBuilder(string.Create(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {(strips.Length * (Strip + Gap)) + 40}\" font-family=\"sans-serif\" "
                + $"font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"));
        var minutes = Math.Max(samples.Count > 0 ? samples[^1].Minutes : 0, 1e-9);
        double X(double at) => Left + ((Width - Left - Gap) * at / minutes);
        for (var k = 0; k < strips.Length; k++)
        {
            var (name, of) = strips[k];
            var (top, most) = (Gap + (k * (Strip + Gap)), Math.Max(samples.Select(of).DefaultIfEmpty(1).Max(), 1));
            var line = string.Join(' ', samples.Select(
                s => string.Create(CultureInfo.InvariantCulture, $"{X(s.Minutes):F1},{top + (Strip * (1 - (of(s) / most))):F1}")));
            picture.Append(CultureInfo.InvariantCulture,
                $"<rect x=\"{Left}\" y=\"{top}\" width=\"{Width - Left - Gap}\" height=\"{Strip}\" fill=\"none\" stroke=\"#ccc\"/>\n");
            picture.Append(CultureInfo.InvariantCulture,
                $"<text x=\"10\" y=\"{top + (Strip / 2)}\">{name}</text><text x=\"{Left - 8}\" y=\"{top + 10}\" "
                    + $"text-anchor=\"end\">{most:N0}</text><text x=\"{Left - 8}\" y=\"{top + Strip}\" text-anchor=\"end\">0</text>\n");
            picture.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"#1f6fb2\" stroke-width=\"1.5\" points=\"{line}\"/>\n");
        }

        var bottom = strips.Length * (Strip + Gap);
        foreach (var phase in samples.GroupBy(s => s.Phase))
            picture.Append(CultureInfo.InvariantCulture,
                $"<text x=\"{X(phase.First().Minutes):F0}\" y=\"{bottom + 20}\">{phase.Key}, from minute {phase.First().Minutes:F1} to "
                    + $"{phase.Last().Minutes:F1}</text>\n");
        return picture.Append("</svg>\n").ToString();
    }
}
