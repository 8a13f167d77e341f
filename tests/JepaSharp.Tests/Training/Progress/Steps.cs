using JepaSharp.Training.Progress;

namespace JepaSharp.Tests.Training.Progress;

/// <summary>Made-up steps of a run of ten steps an epoch.</summary>
internal static class Steps
{
    /// <summary>What they report beside the loss.</summary>
    public static readonly string[] Numbers = ["mask-A", "mask-B"];

    public static StepReport Number(long step, float loss = 0.5f, double seconds = 0.1, double wait = 0, long total = 100) => new()
    {
        Epoch = (int)((step - 1) / 10) + 1,
        Iteration = (int)((step - 1) % 10),
        IterationsPerEpoch = 10,
        Step = step,
        TotalSteps = total,
        Loss = loss,
        LearningRate = 1e-3 / 3,
        WeightDecay = 0.04,
        Momentum = 0.996,
        Numbers = [30, 9],
        StepTime = TimeSpan.FromSeconds(seconds),
        DataWait = TimeSpan.FromSeconds(wait),
        Images = 64,
        Operations = 1.5e12,
    };
}
