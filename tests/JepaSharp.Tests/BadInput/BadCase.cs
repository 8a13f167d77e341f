namespace JepaSharp.Tests.BadInput;

/// <summary>One thing that a user or a stranger's file gets wrong, and what the command answers.</summary>
/// <param name="Name">What is wrong, in words; unique.</param>
/// <param name="Code">The exit code: 2 for a mistake in what was asked or given, 1 where something failed.</param>
/// <param name="Says">A piece of the message. <c>DIR</c> in it stands for the case's folder.</param>
/// <param name="Command">The command line, split at spaces; <c>DIR</c> stands for the case's folder, <c>EMPTY</c> for an empty word.</param>
/// <param name="Arrange">Makes the files; null where there are none.</param>
public sealed record BadCase(string Name, int Code, string Says, string Command, Action<string>? Arrange = null)
{
    public override string ToString() => Name;

    /// <summary>The words of the command line.</summary>
    public string[] Arguments(string folder) =>
        [.. Command.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(
            w => w == "EMPTY" ? "" : w.Replace("DIR", folder, StringComparison.Ordinal))];
}
