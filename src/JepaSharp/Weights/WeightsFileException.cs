using JepaSharp.Runtime;

namespace JepaSharp.Weights;

/// <summary>A weights file that cannot be used (or written), with the file, what was found and what was expected.</summary>
public sealed class WeightsFileException : JepaException
{
    /// <summary>A file whose content is refused.</summary>
    /// <param name="file">The file, as the user named it.</param>
    /// <param name="found">What the file holds, as the end of a sentence: "a header of 12 GB".</param>
    /// <param name="expected">What it should hold, and where it helps what to do about it.</param>
    /// <param name="inner">The cause, where there is one.</param>
    public WeightsFileException(string file, string found, string expected, Exception? inner = null)
        : base($"{file}: found {found}; expected {expected}.", isUsage: true, inner)
    {
        (File, Found, Expected) = (file, found, expected);
    }

    private WeightsFileException(string file, string message, Exception cause)
        : base(message, isUsage: false, cause)
    {
        (File, Found, Expected) = (file, cause.Message, "");
    }

    /// <summary>The file, as the user named it.</summary>
    public string File { get; }

    /// <summary>What was found.</summary>
    public string Found { get; }

    /// <summary>What was expected; empty where the operating system failed, not the content.</summary>
    public string Expected { get; }

    /// <summary>A failure of the operating system while a file was read or written: disk full, no permission, vanished folder.</summary>
    internal static WeightsFileException Failed(string file, string doing, Exception cause) =>
        new(file, $"{file}: {doing} failed: {cause.Message}", cause);
}
