namespace JepaSharp.Cli;

/// <summary>What the command tells the shell.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;
    public const int HungUp = 129;      // 128 + SIGHUP
    public const int Interrupted = 130; // 128 + SIGINT
    public const int Terminated = 143;  // 128 + SIGTERM
}
