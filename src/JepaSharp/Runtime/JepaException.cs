namespace JepaSharp.Runtime;

/// <summary>Something the user can mend: the message says what was found, what was expected and what to do. Shown without a stack trace.</summary>
/// <param name="message">Whole sentences, one problem a line.</param>
/// <param name="isUsage">True for a mistake in what was asked (exit code 2), false for a failure of the work (exit code 1).</param>
/// <param name="inner">The cause, where there is one.</param>
public class JepaException(string message, bool isUsage = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True for a mistake in what was asked (exit code 2), false for a failure of the work (exit code 1).</summary>
    public bool IsUsage { get; } = isUsage;
}
