using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>One image cannot be read. Carries the image's name and a reason in words.</summary>
/// <param name="name">The image's name in its source.</param>
/// <param name="reason">What is wrong with it.</param>
/// <param name="inner">The cause, where there is one.</param>
public sealed class ImageUnreadableException(string name, string reason, Exception? inner = null)
    : Exception(PrintableName.Of($"{name}: {reason}"), inner)
{
    /// <summary>The image's name in its source.</summary>
    public string Name { get; } = name;

    /// <summary>What is wrong with it.</summary>
    public string Reason { get; } = reason;
}
