namespace JepaSharp.Faults;

/// <summary>A way in which a run is ended.</summary>
internal enum Fault
{
    /// <summary>Ctrl-C.</summary>
    Interrupt,

    /// <summary>SIGTERM.</summary>
    Terminate,

    /// <summary>SIGUSR1, which a job manager sends before it takes the machine away.</summary>
    Warn,

    /// <summary>Ctrl-C, and again at once.</summary>
    InterruptTwice,

    /// <summary>kill -9.</summary>
    Kill,

    /// <summary>kill -9, and everything that was not flushed to disk is lost.</summary>
    PowerLoss,

    /// <summary>kill -9, and contents that were not flushed are lost, though their names are there.</summary>
    PowerLossKeepingNames,
}
