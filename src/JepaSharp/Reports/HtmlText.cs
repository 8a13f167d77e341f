using System.Globalization;
using System.Net;

namespace JepaSharp.Reports;

/// <summary>Text and numbers as they may stand in a page.</summary>
internal static class HtmlText
{
    /// <summary>A text that shows as it is, wherever it stands: &amp;, &lt;, &gt; and both quotes are written as entities.</summary>
    public static string Escape(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A number with as many digits as are worth reading: 1,250; 31.4; 0.655; 0.0031.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        double.NaN => "-",
        0 => "0",
        >= 1000 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 0.1 => value.ToString("0.000", CultureInfo.InvariantCulture),
        >= 0.001 => value.ToString("0.0000", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0e0", CultureInfo.InvariantCulture),
    };

    /// <summary>A share as a percentage: 31.4 %.</summary>
    public static string Percent(double share) => double.IsNaN(share) ? "-" : (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + "&nbsp;%";

    /// <summary>A whole number with separators.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>43 s, 12 min 5 s, 3 h 4 min, 2 d 3 h.</summary>
    public static string Duration(TimeSpan time)
    {
        FormattableString text = time switch
        {
            { TotalSeconds: < 60 } => $"{time.TotalSeconds:0} s",
            { TotalHours: < 1 } => $"{time.Minutes} min {time.Seconds} s",
            { TotalDays: < 1 } => $"{time.Hours} h {time.Minutes} min",
            _ => $"{time.Days} d {time.Hours} h",
        };
        return text.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A coordinate in a drawing.</summary>
    public static string At(double coordinate) => coordinate.ToString("0.##", CultureInfo.InvariantCulture);
}
