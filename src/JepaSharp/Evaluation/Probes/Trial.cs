namespace JepaSharp.Evaluation.Probes;

/// <summary>One setting that was tried on held-out fit data.</summary>
/// <param name="Settings">What was tried, by name: learning_rate, weight_decay, penalty.</param>
/// <param name="HeldOut">How well it did there: accuracy, or minus the root mean square error for numbers. Higher is better.</param>
public sealed record Trial(IReadOnlyDictionary<string, double> Settings, double HeldOut);
