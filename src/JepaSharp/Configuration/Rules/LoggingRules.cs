namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section logging.</summary>
internal static class LoggingRules
{
    public static void Check(LoggingOptions logging, RuleChecks checks)
    {
        checks.NotEmpty(logging.Folder, "logging.folder");
        checks.Require(
            !string.IsNullOrWhiteSpace(logging.WriteTag) && logging.WriteTag.IndexOfAny(['/', '\\', '\0']) < 0,
            "logging.write_tag", logging.WriteTag, "a name without slashes");
        checks.AtLeast(1, logging.LogEvery, "logging.log_every");
        checks.AtLeast(1, logging.CheckpointEvery, "logging.checkpoint_every");
        checks.AtLeast(1, logging.KeepLast, "logging.keep_last");
        checks.AtLeast(1, logging.KeepEvery, "logging.keep_every");
        checks.AtLeast(1, logging.EvaluateEvery, "logging.evaluate_every");
        checks.AtLeast(0, logging.MonitorEvery, "logging.monitor_every");
    }
}
