namespace JepaSharp.Weights;

/// <summary>How the names in a file compare with those that its networks should have. Names in the published form.</summary>
/// <param name="Missing">Weights that a network of the file should have and has not.</param>
/// <param name="Unknown">Names in the file that mean nothing here, as the file gives them.</param>
/// <param name="Mismatched">Weights whose shape or type is not what the rest of the file asks for, each with found and expected.</param>
public sealed record WeightsReport(IReadOnlyList<string> Missing, IReadOnlyList<string> Unknown, IReadOnlyList<string> Mismatched)
{
    private const int Shown = 5;

    /// <summary>Whether every weight is there, in its shape, and nothing else.</summary>
    public bool IsClean => Missing.Count + Unknown.Count + Mismatched.Count == 0;

    /// <summary>One line for each kind of difference, the first few names of each; empty if there is none.</summary>
    public override string ToString() =>
        string.Join('\n', new[] { Line("missing", Missing), Line("unknown", Unknown), Line("of another shape or type", Mismatched) }.Where(
            line => line.Length > 0));

    private static string Line(string what, IReadOnlyList<string> names)
    {
        if (names.Count == 0) return "";
        var first = string.Join(", ", names.Take(Shown).Select(SafetensorsHeader.Shown));
        return $"{names.Count} {what}: {first}{(names.Count > Shown ? $" and {names.Count - Shown} more" : "")}";
    }
}
