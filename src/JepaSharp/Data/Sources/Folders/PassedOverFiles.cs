using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>Counts files that are not read, by reason, with one of each as an example.</summary>
internal sealed class PassedOverFiles
{
    private const int Shown = 12;

    private readonly Dictionary<string, (int Count, string Example)> _reasons = new(StringComparer.Ordinal);

    /// <summary>How many.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a file.</summary>
    /// <param name="what">What it is, as it stands behind a number: "HEIC", ".txt", "hidden".</param>
    /// <param name="name">Its name.</param>
    public void Add(string what, string name)
    {
        Count++;
        var (count, example) = _reasons.GetValueOrDefault(what, (0, name));
        _reasons[what] = (count + 1, example);
    }

    /// <summary>Adds a second name of a file that is read by another.</summary>
    public void Add(SecondName second) => Add("under a second name of the same file", $"{second.Name} is {second.Same}");

    /// <summary>Adds all of another count.</summary>
    public void Add(PassedOverFiles others)
    {
        Count += others.Count;
        foreach (var (what, (more, name)) in others._reasons)
        {
            var (count, example) = _reasons.GetValueOrDefault(what, (0, name));
            _reasons[what] = (count + more, example);
        }
    }

    /// <summary>The reasons, the commonest first: "2 .txt (a.txt), 1 HEIC (b.heic)".</summary>
    public override string ToString()
    {
        var all = _reasons.OrderByDescending(r => r.Value.Count).ThenBy(r => r.Key, StringComparer.Ordinal).ToList();
        var texts = all.Take(Shown).Select(
            r => $"{r.Value.Count:N0} {r.Key}{(TakesAnS(r.Key, r.Value.Count) ? "s" : "")} ({PrintableName.Of(r.Value.Example)})");
        var rest = all.Skip(Shown).Sum(r => r.Value.Count);
        return string.Join(", ", texts) + (rest > 0 ? $", {rest:N0} of other kinds" : "");
    }

    private static bool TakesAnS(string what, int count) => count > 1 && what is (FileKind.Archive or FileKind.ImageFile or FileKind.Icon);
}
