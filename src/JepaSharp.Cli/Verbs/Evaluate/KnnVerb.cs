using System.CommandLine;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary><c>jepa evaluate knn</c>.</summary>
internal sealed class KnnVerb : ProbeVerb
{
    private readonly Option<int> _neighbours = new("--k") { Description = "Neighbours that vote.", DefaultValueFactory = _ => 20, HelpName = "N" };
    private readonly Option<double> _temperature = new("--temperature") { Description = "A neighbour at cosine s votes with exp(s / T).", DefaultValueFactory = _ => 0.07, HelpName = "T" };
    private readonly Option<bool> _raw = new("--no-centre") { Description = "Do not subtract the mean of the fit features first. DINO does not; features of masked prediction gain by it." };

    public KnnVerb()
        : base("knn", "Weighted nearest neighbours by cosine, nothing to train: k 20 and temperature 0.07, as DINO.")
    {
        foreach (var option in (Option[])[_neighbours, _temperature, _raw]) Add(option);
        _neighbours.RequireAtLeast(1);
    }

    protected override ProbeTask Task(ParseResult arguments, ulong seed)
    {
        var temperature = arguments.GetValue(_temperature);
        if (!(temperature > 0)) throw new JepaException($"--temperature {temperature}: expected more than 0.", isUsage: true);
        var options = new KnnOptions { Neighbours = arguments.GetValue(_neighbours), Temperature = temperature, CentreOnFitMean = !arguments.GetValue(_raw) };
        return new KnnTask(options, [1, 10, 20, 100, 200]);
    }
}
