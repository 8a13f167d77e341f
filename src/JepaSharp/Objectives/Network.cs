using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>How a network's weights come about.</summary>
public enum NetworkRole
{
    /// <summary>By the gradients of the loss.</summary>
    Trained,

    /// <summary>As the exponential moving average of another network of the same shapes. Begins as a copy of it.</summary>
    Average,

    /// <summary>They stay as they are.</summary>
    Frozen,
}

/// <summary>A network of an objective. Averages are data, not code: whoever trains moves them.</summary>
/// <param name="Name">Its name in checkpoints, such as "encoder": the weights' names begin with it and a dot.</param>
/// <param name="Module">The network; owned by the objective.</param>
/// <param name="Role">How its weights come about.</param>
/// <param name="Follows">Name of the trained network that an average follows; null for others.</param>
public sealed record Network(string Name, nn.Module Module, NetworkRole Role, string? Follows = null)
{
    /// <summary>What messages call it.</summary>
    public string Title { get; init; } = Name.Replace('_', ' ');

    /// <summary>Share of the learning rate that a parameter of the given name gets, for layer-wise rates; null for the whole.</summary>
    public Func<string, double>? RateOf { get; init; }

    /// <summary>Momentum of an average after the given step, from 1; null for the run's schedule.</summary>
    public Func<long, double>? MomentumAt { get; init; }
}

/// <summary>A tensor that an objective keeps from step to step beside its weights, such as a centre. Saved with the optimizer's state.</summary>
/// <param name="Name">Its name in checkpoints, unique within the objective.</param>
/// <param name="Value">Any shape, float32; owned by the objective, changed only through <see cref="Step.Move"/>.</param>
public sealed record StateTensor(string Name, Tensor Value);
