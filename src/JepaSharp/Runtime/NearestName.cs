namespace JepaSharp.Runtime;

/// <summary>Which known name someone who wrote an unknown one meant.</summary>
public static class NearestName
{
    /// <summary>
    /// The known name with the fewest letters to change, whatever their case; null where that would be more than two and a third of them, or all.
    /// </summary>
    /// <param name="written">What was written.</param>
    /// <param name="known">What could have been.</param>
    public static string? Of(string written, IEnumerable<string> known)
    {
        var (nearest, distance) = known
            .Select(name => (Name: name, Distance: Distance(Folded(written), Folded(name))))
            .DefaultIfEmpty((Name: "", Distance: int.MaxValue))
            .MinBy(pair => pair.Distance);
        var isNear = distance <= Math.Max(2, written.Length / 3) && distance < written.Trim('-').Length;
        return isNear ? nearest : null;
    }

    /// <summary>Letters to insert, delete, replace or swap with a neighbour to get from one word to the other (optimal string alignment).</summary>
    internal static int Distance(string from, string to)
    {
        // d[i, j] = distance of the first i letters of one from the first j letters of the other.
        var d = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= to.Length; j++) d[0, j] = j;
        for (var i = 1; i <= from.Length; i++)
        {
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = d[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(replaced, 1 + Math.Min(d[i - 1, j], d[i, j - 1]));
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[from.Length, to.Length];
    }

    private static string Folded(string name) => name.Length > 80 ? name[..80] : name.ToLowerInvariant().Replace('-', '_');
}
