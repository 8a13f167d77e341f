using JepaSharp.Monitoring;
using JepaSharp.Objectives;

namespace JepaSharp.Runs;

/// <summary>How much a run looks at itself, so that looking stays a share of it: a smoke test is a smoke test.</summary>
/// <remarks>
/// Counted in multiplications, not timed, so that it is the same on every machine. The sizes follow from the whole run as its configuration has it,
/// so that every process of it measures alike; a process that takes so few of its steps that looking would be most of its work (<c>--max-steps</c>)
/// leaves it out and says so.
/// </remarks>
internal sealed class LookBudget
{
    /// <summary>Share of a run that its probes may take together.</summary>
    public const double ProbeShare = 0.15;

    /// <summary>Share of a run that two readings of the monitors may take.</summary>
    public const double MonitorShare = 0.05;

    /// <summary>What looking may take beside the steps of one process.</summary>
    public const double ProcessShare = 0.5;

    // Fewer tell nothing.
    private const int FewestProbed = 200, FewestMonitored = 32;

    private readonly ObjectiveCost _cost;
    private readonly double _run, _process;
    private readonly int _measures;

    /// <param name="cost">What a step and a look cost, for an image.</param>
    /// <param name="runImages">Images that all steps of the run see together.</param>
    /// <param name="processImages">Images that the steps of this process see together.</param>
    /// <param name="measures">How often probes are taken in the run.</param>
    public LookBudget(ObjectiveCost cost, double runImages, double processImages, int measures) =>
        (_cost, _run, _process, _measures) = (cost, runImages * cost.Step, processImages * cost.Step, Math.Max(2, measures));

    /// <summary>Images that a probe may look at; null for none at all.</summary>
    /// <param name="wanted">As many as tell well.</param>
    public int? Probed(int wanted)
    {
        var most = (int)Math.Min(int.MaxValue, ProbeShare * _run / (_measures * _cost.Whole));
        var images = Math.Min(wanted, most);
        return images < Math.Min(FewestProbed, wanted) || 2 * images * _cost.Whole > ProcessShare * _process ? null : images;
    }

    /// <summary>What the monitors may look at; null for nothing at all.</summary>
    /// <param name="wanted">As much as tells well.</param>
    public MonitorSize? Monitored(MonitorSize wanted)
    {
        var share = Math.Min(1, MonitorShare * _run / (2 * CostOf(wanted)));
        var size = share >= 1 ? wanted : wanted with
        {
            Images = (int)(share * wanted.Images),
            MaskedImages = Math.Max(
            1, (int)(share * wanted.MaskedImages))
        };
        return size.Images < FewestMonitored || 2 * CostOf(size) > ProcessShare * _process ? null : size;
    }

    /// <summary>Images that may be looked at when the steps are done.</summary>
    public double Afterwards => ProcessShare * _process / _cost.Whole;

    private double CostOf(MonitorSize size) => (size.Images * _cost.Whole) + (size.MaskedImages * ((size.Views * _cost.Part) + _cost.Measure));
}
