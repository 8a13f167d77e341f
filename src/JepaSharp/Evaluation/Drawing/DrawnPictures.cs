namespace JepaSharp.Evaluation.Drawing;

/// <summary>Several pictures drawn from each of several representations, as numbers.</summary>
/// <remarks>Legend: N representations, each of one true picture; S pictures drawn from each, from the same S noises; P numbers of a
/// picture.</remarks>
public sealed class DrawnPictures
{
    private readonly float[] _values;

    /// <summary>Takes over <paramref name="values"/>.</summary>
    /// <param name="representations">N.</param>
    /// <param name="each">S.</param>
    /// <param name="values">[N, S, P], row-major.</param>
    /// <exception cref="ArgumentException">There are not N S P values, or none.</exception>
    public DrawnPictures(int representations, int each, float[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(representations);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(each);
        if (values.Length == 0 || values.Length % (representations * each) != 0)
            throw new ArgumentException($"{values.Length} values for {representations} times {each} pictures.", nameof(values));
        (Representations, Each, Numbers, _values) = (representations, each, values.Length / (representations * each), values);
    }

    /// <summary>N.</summary>
    public int Representations { get; }

    /// <summary>S.</summary>
    public int Each { get; }

    /// <summary>P.</summary>
    public int Numbers { get; }

    /// <summary>One picture: [P].</summary>
    /// <param name="representation">Which it was drawn from.</param>
    /// <param name="sample">Which of the S.</param>
    public ReadOnlySpan<float> this[int representation, int sample] =>
        _values.AsSpan(((representation * Each) + sample) * Numbers, Numbers);
}
