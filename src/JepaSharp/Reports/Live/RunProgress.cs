namespace JepaSharp.Reports;

/// <summary>What a run is doing, as far as its files tell.</summary>
internal enum RunStage
{
    /// <summary>It has taken no step yet.</summary>
    Beginning,

    /// <summary>It wrote something a short while ago.</summary>
    Running,

    /// <summary>It has steps left and has not written for longer than steps take: stopped, or measuring.</summary>
    Silent,

    /// <summary>It has taken all steps, or has written its report.</summary>
    Over,
}

/// <summary>How far a run is.</summary>
/// <param name="Stage">What it is doing.</param>
/// <param name="TotalSteps">Steps that it will have taken at its end; null where its files do not tell.</param>
/// <param name="TimeLeft">By the steps so far; null where nothing can be said, or it is over.</param>
/// <param name="Silence">Since it last wrote.</param>
internal sealed record RunProgress(RunStage Stage, long? TotalSteps, TimeSpan? TimeLeft, TimeSpan Silence)
{
    /// <summary>As many steps as a run may be silent for before it is thought to have stopped.</summary>
    private const int PatienceInSteps = 20;

    private static readonly TimeSpan LeastPatience = TimeSpan.FromMinutes(2);

    /// <summary>Of a run whose files have been read.</summary>
    /// <param name="run">What they say.</param>
    /// <param name="written">When the latest of them was written; UTC.</param>
    /// <param name="reported">When its report was written; null where there is none.</param>
    /// <param name="now">UTC.</param>
    public static RunProgress Of(RunRecord run, DateTime written, DateTime? reported, DateTime now)
    {
        var total = TotalOf(run);
        var silence = now > written ? now - written : TimeSpan.Zero;
        var step = run.Steps > 0 ? run.Time / run.Steps : TimeSpan.Zero;
        var patience = step * PatienceInSteps > LeastPatience ? step * PatienceInSteps : LeastPatience;
        var stage = run.Steps >= total || reported >= written ? RunStage.Over
            : silence > patience ? RunStage.Silent
            : run.Steps == 0 ? RunStage.Beginning : RunStage.Running;
        return new RunProgress(stage, total, stage == RunStage.Running && total is { } all ? step * (all - run.Steps) : null, silence);
    }

    /// <summary>In words: "running", "nothing written for 3 min 5 s".</summary>
    public string Words => Stage switch
    {
        RunStage.Beginning => "beginning",
        RunStage.Running => "running",
        RunStage.Silent => $"nothing written for {HtmlText.Duration(Silence)}",
        _ => "over",
    };

    private static long? TotalOf(RunRecord run)
    {
        var options = run.Options;
        var most = options.Optimization.MaxSteps;
        if (run.Machine is not { Images: > 0 } machine) return most;
        var perEpoch = machine.Images / Math.Max(1, options.Data.BatchSize) / Math.Max(1, options.Optimization.Accumulate);
        return perEpoch == 0 ? most : Math.Min(most ?? long.MaxValue, (long)perEpoch * options.Optimization.Epochs);
    }
}
