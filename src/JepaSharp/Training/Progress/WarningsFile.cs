using System.Globalization;
using JepaSharp.Runtime;

namespace JepaSharp.Training.Progress;

/// <summary><c>warnings.txt</c>: what went wrong in a run, a line each; no file where nothing did.</summary>
public sealed class WarningsFile : IRecord
{
    private const string Start = "step ";
    private readonly string _path;
    private readonly List<string> _waiting = [];

    private WarningsFile(string path) => _path = path;

    /// <inheritdoc/>
    string IRecord.Path => _path;

    /// <inheritdoc/>
    bool IRecord.HasUnwritten => _waiting.Count > 0;

    /// <summary>The warnings of a new run.</summary>
    public static WarningsFile Create(string path) => new(path);

    /// <summary>Goes on with the warnings of a run that is resumed after <paramref name="step"/> steps: later ones are dropped.</summary>
    public static WarningsFile Resume(string path, long step)
    {
        var all = Read(path);
        List<string> kept = [.. all.TakeWhile(line => StepOf(line) <= step)];
        if (kept.Count == 0) File.Delete(path);
        else if (kept.Count < all.Count) File.WriteAllLines(path, kept);
        return new WarningsFile(path);
    }

    /// <summary>The lines of a run's warnings, "step N: what was seen"; none where there is no file.</summary>
    public static IReadOnlyList<string> Read(string path) => File.Exists(path) ? [.. GrowingText.Lines(path)] : [];

    /// <inheritdoc/>
    public void OnWarning(long step, string text)
    {
        _waiting.Add(string.Create(CultureInfo.InvariantCulture, $"{Start}{step}: {text.ReplaceLineEndings(" ")}"));
        Write();
    }

    /// <inheritdoc/>
    public void OnCheckpoint(long step) => Write();

    /// <inheritdoc/>
    public void OnEnd(RunEnd end) => Write();

    private void Write()
    {
        if (_waiting.Count == 0) return;
        File.AppendAllLines(_path, _waiting);
        _waiting.Clear();
    }

    private static long StepOf(string line) =>
        line.StartsWith(Start, StringComparison.Ordinal)
            && long.TryParse(line.AsSpan(Start.Length, Math.Max(0, line.IndexOf(':', StringComparison.Ordinal) - Start.Length)), NumberStyles.None,
                CultureInfo.InvariantCulture, out var step)
            ? step
            : long.MaxValue;
}
