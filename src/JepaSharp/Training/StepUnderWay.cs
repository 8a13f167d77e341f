using JepaSharp.Objectives;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>A step that a device was given and whose numbers nobody has read yet, so that nobody has waited for it.</summary>
internal sealed class StepUnderWay : IDisposable
{
    /// <summary>A step whose gradients were asked for.</summary>
    /// <param name="step">Its number, from 1.</param>
    /// <param name="microBatches">What it learns from; kept by the caller until the step is finished.</param>
    /// <param name="numbers">[3] float32: the loss and the L2 norms of the context encoder's and the predictor's gradients. Disposed of with this.</param>
    public StepUnderWay(long step, IReadOnlyList<(Tensor Images, JepaMasks Masks)> microBatches, Tensor numbers) =>
        (Step, MicroBatches, Numbers) = (step, microBatches, numbers);

    public long Step { get; }

    public IReadOnlyList<(Tensor Images, JepaMasks Masks)> MicroBatches { get; }

    public Tensor Numbers { get; }

    /// <summary>Whether weights, moments and averages were already asked to change.</summary>
    public bool IsApplied { get; set; }

    /// <summary>Waits for the device and reads loss and gradient norms.</summary>
    public (double Loss, double Norm) Read()
    {
        using var here = Numbers.cpu();
        var numbers = here.data<float>();
        double loss = numbers[0], context = numbers[1], prediction = numbers[2];
        return (loss, Math.Sqrt((context * context) + (prediction * prediction)));
    }

    public void Dispose() => Numbers.Dispose();
}
