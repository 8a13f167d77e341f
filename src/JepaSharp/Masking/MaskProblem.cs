namespace JepaSharp.Masking;

/// <summary>A value among masking options that cannot be meant, whatever the grid.</summary>
/// <param name="Option">The option as YAML calls it.</param>
/// <param name="Found">Its value.</param>
/// <param name="Expected">What it may be.</param>
internal readonly record struct MaskProblem(string Option, string Found, string Expected)
{
    public override string ToString() => $"{Option} is {Found}; expected {Expected}.";
}
