using System.CommandLine;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary>The options of a linear probe that is trained by steps.</summary>
internal sealed class LinearOptionsGroup
{
    private readonly Option<double[]> _rates = new("--lr") { Description = "Learning rates to try, for batches of 256; one or several.", AllowMultipleArgumentsPerToken = true, HelpName = "RATE" };
    private readonly Option<double[]> _decays = new("--weight-decay") { Description = "Weight decays to try; one or several.", AllowMultipleArgumentsPerToken = true, HelpName = "DECAY" };
    private readonly Option<int?> _epochs = new("--epochs") { Description = "Passes over the features; 50 if not given.", HelpName = "N" };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_rates, _decays, _epochs]) command.Add(option);
        _epochs.RequireAtLeast(1);
    }

    /// <exception cref="JepaException">A number is out of range.</exception>
    public LinearOptions Read(ParseResult arguments, ulong seed)
    {
        var options = new LinearOptions { Seed = seed };
        if (arguments.GetValue(_rates) is { Length: > 0 } rates) options = options with { LearningRates = rates };
        if (arguments.GetValue(_decays) is { Length: > 0 } decays) options = options with { WeightDecays = decays };
        if (arguments.GetValue(_epochs) is { } epochs) options = options with { Epochs = epochs };
        if (options.LearningRates.Any(r => !(r > 0))) throw new JepaException("--lr: expected numbers above 0.", isUsage: true);
        if (options.WeightDecays.Any(d => !(d >= 0))) throw new JepaException("--weight-decay: expected numbers of at least 0.", isUsage: true);
        return options;
    }
}
