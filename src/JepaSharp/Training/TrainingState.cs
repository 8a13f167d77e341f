using JepaSharp.Objectives;
using JepaSharp.Optimization;

namespace JepaSharp.Training;

/// <summary>How the optimizer is set, beside its schedules.</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="ClipNorm">Largest L2 norm of all gradients together; null for no clipping, as published.</param>
public sealed record OptimizerSettings(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double? ClipNorm = null);

/// <summary>A network in training: its weights in flat memory, and AdamW where it learns by gradient.</summary>
public sealed class NetworkState : IDisposable
{
    internal NetworkState(Network network, OptimizerSettings settings, long stepsPerEpoch)
    {
        Network = network;
        var trained = network.Role == NetworkRole.Trained;
        Parameters = new FlatParameters(network.Module, trained);
        Optimizer = trained
            ? new AdamW(Parameters, settings.Beta1, settings.Beta2, settings.Epsilon, network.RateOf, network.Decays,
                network.FrozenEpochs is { } frozen ? name => Math.Floor(frozen(name) * stepsPerEpoch) : null)
            : null;
    }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>All its weights, and their gradients where it is trained.</summary>
    public FlatParameters Parameters { get; }

    /// <summary>AdamW's moments; null for a network that is not trained by gradient.</summary>
    public AdamW? Optimizer { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Optimizer?.Dispose();
        Parameters.Dispose();
    }
}

/// <summary>Everything that a step changes: the weights and moments of an objective's networks, its state tensors, and how many steps were
/// taken.</summary>
public sealed class TrainingState : IDisposable
{
    /// <summary>Takes over the networks' memory: their parameters become views of flat tensors. Averages begin as copies of what they
    /// follow.</summary>
    /// <param name="objective">What is learned; the caller keeps and disposes it.</param>
    /// <param name="settings">The optimizer's constants.</param>
    /// <param name="stepsPerEpoch">Steps in an epoch, for parameters that are frozen for some.</param>
    /// <exception cref="ArgumentException">Two networks of one name, or an average that follows none.</exception>
    public TrainingState(Objective objective, OptimizerSettings settings, long stepsPerEpoch = 1)
    {
        ArgumentNullException.ThrowIfNull(objective);
        Objective = objective;
        Check(objective.Networks);
        foreach (var average in objective.Networks.Where(n => n.Role == NetworkRole.Average))
            Objective.StartAverage(average.Module, objective.Networks.Single(n => n.Name == average.Follows).Module);
        Networks = [.. objective.Networks.Select(n => new NetworkState(n, settings, stepsPerEpoch))];
        Trained = [.. Networks.Where(n => n.Optimizer is not null)];
    }

    /// <summary>What is learned.</summary>
    public Objective Objective { get; }

    /// <summary>The networks, in the objective's order.</summary>
    public IReadOnlyList<NetworkState> Networks { get; }

    /// <summary>Those that are trained by gradient.</summary>
    public IReadOnlyList<NetworkState> Trained { get; }

    /// <summary>Steps taken so far in this run.</summary>
    public long StepCount { get; private set; }

    /// <summary>Steps that the optimizer had taken before this run, where it began with another run's state; else 0.</summary>
    public long OptimizerStart { get; private set; }

    /// <summary>A network by its name.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public NetworkState this[string name] => Networks.Single(n => n.Network.Name == name);

    /// <summary>The averages that follow a network.</summary>
    internal IEnumerable<NetworkState> AveragesOf(NetworkState network) => Networks.Where(n => n.Network.Follows == network.Network.Name);

    internal bool IsOnCpu => Networks.All(n => n.Parameters.OnCpu);

    /// <summary>Brings everything derived from the weights up to date after they were replaced.</summary>
    public void WeightsReplaced()
    {
        foreach (var network in Networks) network.Parameters.RefreshWorkingCopy();
    }

    /// <summary>Sets the counts, after weights and moments were restored.</summary>
    internal void Restore(long steps, long optimizerStart)
    {
        (StepCount, OptimizerStart) = (steps, optimizerStart);
        foreach (var network in Trained) network.Optimizer!.Restore(optimizerStart + steps, optimizerStart);
    }

    /// <summary>Begins with the moments of an optimizer that has taken steps elsewhere; this run's own count stays 0.</summary>
    internal void StartOptimizerAt(long steps) => Restore(0, steps);

    /// <summary>After the optimizers have taken a step.</summary>
    internal void Count() => StepCount++;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var network in Networks) network.Dispose();
    }

    private static void Check(IReadOnlyList<Network> networks)
    {
        if (networks.Select(n => n.Name).Distinct(StringComparer.Ordinal).Count() != networks.Count)
            throw new ArgumentException(
                $"Two networks of an objective have one name: {string.Join(", ", networks.Select(n => n.Name))}.", nameof(networks));
        foreach (var network in networks)
        {
            var follows = networks.FirstOrDefault(n => n.Name == network.Follows);
            if ((network.Role == NetworkRole.Average) != (follows?.Role == NetworkRole.Trained))
                throw new ArgumentException(
                    $"{network.Name} is {network.Role} and follows {network.Follows ?? "none"}: an average, and nothing else, follows a trained "
                        + $"network.");
        }
    }
}
