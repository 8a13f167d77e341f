namespace JepaSharp.Cli.Display;

/// <summary>Shows how many of so many things are done, on one redrawn line; says nothing where nobody watches.</summary>
internal sealed class CountProgress(Terminal terminal, string doing, int total) : IProgress<int>
{
    private readonly Lock _gate = new();
    private int _most;
    private long _last;

    public void Report(int value)
    {
        if (!terminal.ErrorIsTerminal) return;
        lock (_gate)
        {
            _most = Math.Max(_most, value);
            if (Environment.TickCount64 - _last < 100) return;
            _last = Environment.TickCount64;
            terminal.Redraw($"{doing} {_most:n0} / {total:n0}");
        }
    }

    /// <summary>Takes the line away.</summary>
    public void Finish()
    {
        if (terminal.ErrorIsTerminal) terminal.Erase();
    }
}
