namespace JepaSharp.Tests.Situations;

/// <summary>Something that a user meets, and what the built command makes of it: a row of the table.</summary>
/// <param name="Name">What is met, in words; unique within its table.</param>
/// <param name="Command">A shell line, run in the situation's own folder, in which <c>jepa</c> is the built command; standard error is joined to the
/// output afterwards.</param>
/// <param name="Code">The exit code of the line.</param>
/// <param name="Says">Pieces of the output, each of which must be there.</param>
public sealed record Situation(string Name, string Command, int Code, params string[] Says)
{
    /// <summary>Makes the files; null where there are none. Is given the situation's folder.</summary>
    public Action<string>? Build { get; init; }

    /// <summary>Pieces that must not be in the output.</summary>
    public IReadOnlyList<string> Never { get; init; } = [];

    /// <summary>What must be true afterwards, of the folder and the output; for numbers and files.</summary>
    public Action<string, string>? Check { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
