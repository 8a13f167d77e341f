using System.Globalization;

namespace JepaSharp.Objectives;

/// <summary>How a teacher uses its outputs: DINO's and iBOT's own signs of a collapse.</summary>
/// <remarks>
/// What an output tells of a view is the entropy of the mean of all distributions less the mean of their entropies, in nats (Caron et al., ICCV 2021,
/// section 5.3). It is 0 where one output wins for every view, and where all outputs are alike for every view; untrained teachers have little, and
/// trained ones one or more.
/// </remarks>
/// <param name="Entropy">Mean entropy of what the teacher says of a view, in nats.</param>
/// <param name="MeanEntropy">Entropy of the mean of what it says, in nats.</param>
/// <param name="InUse">Share of the outputs that win for some view, of as many as could.</param>
/// <param name="Uniform">ln K: the largest entropy, and the loss where all outputs are alike.</param>
internal sealed record OutputSigns(double Entropy, double MeanEntropy, double InUse, double Uniform)
{
    /// <summary>Outputs that tell less of a view than this, in nats, tell nothing.</summary>
    public const double LeastTold = 0.01;

    private const double NearlyUniform = 0.98;

    /// <summary>Those among an objective's measures; null where there are none.</summary>
    public static OutputSigns? Of(IReadOnlyDictionary<string, double> measures)
    {
        double Value(string name) => measures.GetValueOrDefault(name, double.NaN);
        var signs = new OutputSigns(
            Value(SelfDistillationMeasures.Entropy), Value(SelfDistillationMeasures.MeanEntropy), Value(SelfDistillationMeasures.InUse),
            Value(SelfDistillationMeasures.Uniform));
        return double.IsNaN(signs.Entropy) || double.IsNaN(signs.MeanEntropy) || double.IsNaN(signs.Uniform) ? null : signs;
    }

    /// <summary>Whether outputs tell nothing of a view.</summary>
    public bool IsCollapsed => MeanEntropy - Entropy < LeastTold;

    /// <summary>What is going wrong, as the end of a sentence.</summary>
    public string Words() => Entropy > NearlyUniform * Uniform
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"the teacher says the same of every view, and of all outputs alike (entropy {Entropy:F3} of at most {Uniform:F3}, which is ln K, where "
                + $"the loss stays); its temperature is too high, or its centre too strong")
        : string.Create(
            CultureInfo.InvariantCulture,
            $"the same few outputs win for every view (entropy of the teacher's mean output {MeanEntropy:F3} of at most {Uniform:F3}, "
                + $"{100 * InUse:F1} % of the outputs in use); a low loss is worth nothing then: the centre does not hold against it");
}
