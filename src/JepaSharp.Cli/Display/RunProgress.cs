using JepaSharp.Training.Progress;

namespace JepaSharp.Cli.Display;

/// <summary>Shows a run that is a part of something larger: how many images it has trained on, how fast, and the time left.</summary>
/// <param name="terminal">Where to show it.</param>
/// <param name="doing">What is done: "fine-tuning".</param>
internal sealed class RunProgress(Terminal terminal, string doing) : ITrainingObserver
{
    private RateProgress? _rate;

    public void OnStart(RunPlan plan) =>
        _rate = new RateProgress(terminal, doing, "images", ImagesAt(plan.TotalSteps, plan.BatchSize), ImagesAt(plan.FirstStep, plan.BatchSize));

    public void OnStep(in StepReport step) => _rate?.Report(ImagesAt(step.Step, step.Images));

    public void OnMessage(string text)
    {
        _rate?.Finish();
        terminal.Error.WriteLine(text);
    }

    public void OnWarning(long step, string text) => OnMessage(FormattableString.Invariant($"warning at step {step}: {text}"));

    public void OnEnd(RunEnd end) => _rate?.Finish();

    private static int ImagesAt(long steps, int each) => (int)Math.Min(steps * each, int.MaxValue);
}
