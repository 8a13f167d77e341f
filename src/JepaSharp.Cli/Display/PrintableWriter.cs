using System.Text;

namespace JepaSharp.Cli.Display;

/// <summary>Writes lines for people: whatever names they hold, a line stays one line and moves no cursor.</summary>
/// <param name="inner">Where to.</param>
internal sealed class PrintableWriter(TextWriter inner) : TextWriter
{
    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    public override void Write(char value) => Write(value.ToString());

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer) => Write(new string(buffer));

    /// <summary>Writes text of ours, whose line feeds are meant.</summary>
    public override void Write(string? value) => inner.Write(value is null ? null : Printable.Of(value, keepLines: true));

    /// <inheritdoc/>
    public override void WriteLine() => inner.WriteLine();

    /// <summary>Writes one line: a line feed in it came with a name.</summary>
    public override void WriteLine(string? value) => inner.WriteLine(value is null ? null : Printable.Of(value));

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();
}
