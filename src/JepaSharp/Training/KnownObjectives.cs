using JepaSharp.Objectives;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>The objectives that a configuration can name: a plain list. Others are handed to <see cref="Trainer"/> as they are.</summary>
public static class KnownObjectives
{
    private static readonly (string Name, Func<PretrainPlan, Device?, Objective> Create)[] All =
    [
        (ImageJepa.ShortName, (plan, device) => new ImageJepa(plan.ImageJepa, device)),
        (MaskedAutoencoder.ShortName, (plan, device) => new MaskedAutoencoder(plan.MaskedAutoencoder, device)),
        (LeJepa.ShortName, (plan, device) => new LeJepa(plan.LeJepa, device)),
        (Data2Vec.ShortName, (plan, device) => new Data2Vec(plan.Data2Vec, device)),
        (Dino.ShortName, (plan, device) => new Dino(plan.Dino, device)),
        (Ibot.ShortName, (plan, device) => new Ibot(plan.Ibot, device)),
        (MaskedSiamese.ShortName, (plan, device) => new MaskedSiamese(plan.MaskedSiamese, device)),
        (Distillation.ShortName, (plan, device) => new Distillation(plan.Distillation(device), device)),
        (Rcdm.ShortName, (plan, device) => plan.Rcdm(device)),
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(o => o.Name)];

    /// <summary>Builds the objective that a configuration names, with initial weights.</summary>
    /// <param name="plan">What the configuration means.</param>
    /// <param name="device">Where its networks live; the meta device for shapes alone. Null: the CPU.</param>
    /// <exception cref="JepaException">There is no such objective.</exception>
    public static Objective Create(PretrainPlan plan, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var name = plan.Options.Meta.Objective;
        var known = Array.Find(All, o => o.Name == name);
        if (known.Create is not null) return known.Create(plan, device);
        var near = NearestName.Of(name, Names) is { } meant ? $" Perhaps {meant} is meant." : "";
        throw new JepaException($"meta.objective: {name} is none of {string.Join(", ", Names)}.{near}", isUsage: true);
    }
}
