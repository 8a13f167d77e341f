using System.Text;

namespace JepaSharp.Cli.Display;

/// <summary>Standard output or error, which can be full, closed or gone while there is work to do: that is remembered, and thrown only where nothing
/// else is worth doing.</summary>
/// <param name="inner">The process's own stream.</param>
internal sealed class StandardStream(TextWriter inner) : TextWriter
{
    /// <summary>The first failure to write; null while all was written.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Whether a failure is thrown, as where what is printed is all that comes of the work.</summary>
    public bool Throws { get; set; }

    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    public override void Write(char value) => Try(static (writer, c) => writer.Write(c), value);

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer) => Write(new string(buffer));

    /// <inheritdoc/>
    public override void Write(string? value) => Try(static (writer, text) => writer.Write(text), value);

    /// <inheritdoc/>
    public override void WriteLine() => Try(static (writer, _) => writer.WriteLine(), 0);

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Try(static (writer, text) => writer.WriteLine(text), value);

    /// <inheritdoc/>
    public override void Flush() => Try(static (writer, _) => writer.Flush(), 0);

    private void Try<T>(Action<TextWriter, T> write, T value)
    {
        try
        {
            write(inner, value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException or NotSupportedException)
        {
            Failure ??= e;
            if (Throws) throw new OutputLostException(e);
        }
    }
}

/// <summary>Standard output cannot be written, and what was to be printed was all that was asked for.</summary>
internal sealed class OutputLostException(Exception cause) : IOException(cause.Message, cause);
