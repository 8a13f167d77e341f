using System.Text.Json;

namespace JepaSharp.Tests;

/// <summary>
/// Recordings of other programs' numbers: the folder <c>parity/NAME</c> of <see cref="SharedFolder"/>, and every folder below it that holds an
/// <c>expected.json</c>.
/// Tests take all they need from the files, so that whatever is put there in the same form is run: <c>dotnet test --filter Recorded=NAME</c>.
/// </summary>
internal static class RecordedFolders
{
    /// <summary>The trait of such tests.</summary>
    public const string Trait = "Recorded";

    private const string Facts = "expected.json";

    /// <summary>Rows for a theory: what a recording is called, such as "mae" and "mae/plain-pixels". Where there is none, a row that is skipped with
    /// the reason.</summary>
    /// <param name="names">Folders below <c>parity</c>.</param>
    /// <param name="holding">Only recordings that hold this file or folder themselves; null for all.</param>
    public static IEnumerable<TheoryDataRow<string>> Of(IEnumerable<string> names, string? holding = null) =>
        names.SelectMany(name => Held(name, holding) is [_, ..] found
        ? found.Select(recording => new TheoryDataRow<string>(recording).WithTrait(Trait, name))
        : [new TheoryDataRow<string>(name) { Skip = Missing(name, holding) }.WithTrait(Trait, name)]);

    /// <summary>Rows of more than the recording, where a recording holds several things.</summary>
    /// <param name="names">Folders below <c>parity</c>.</param>
    /// <param name="holding">Only recordings that hold this file or folder themselves; null for all.</param>
    /// <param name="within">From a recording, what of it rows are wanted of; read when tests are found.</param>
    public static IEnumerable<TheoryDataRow<string, T>> Of<T>(IEnumerable<string> names, string? holding, Func<string, IEnumerable<T>> within)
        where T : notnull => names.SelectMany(name => Held(name, holding) is [_, ..] found
            ? found.SelectMany(recording => within(recording).Select(item => new TheoryDataRow<string, T>(recording, item).WithTrait(Trait, name)))
            : [new TheoryDataRow<string, T>(name, default!) { Skip = Missing(name, holding) }.WithTrait(Trait, name)]);

    /// <summary>Path of a recording's file: in its own folder, else in the nearest above, as far as NAME's.</summary>
    public static string PathOf(string recording, string file)
    {
        for (var folder = recording; folder.Length > 0; folder = folder.Contains('/') ? folder[..folder.LastIndexOf('/')] : "")
        {
            var path = Path.Combine(FolderOf(folder), file);
            if (Path.Exists(path)) return path;
        }

        throw new FileNotFoundException($"The recording {recording} has no {file}, and there is none above it.");
    }

    /// <summary>What its <c>expected.json</c> says.</summary>
    public static JsonElement FactsOf(string recording) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(FolderOf(recording), Facts))).RootElement;

    private static string[] Held(string name, string? holding)
    {
        var top = FolderOf(name);
        if (!Directory.Exists(top)) return [];
        var folders = Directory.EnumerateFiles(top, Facts, SearchOption.AllDirectories).Select(path => Path.GetDirectoryName(path)!).Order(
            StringComparer.Ordinal);
        return
        [
            .. folders.Where(folder => holding is null || Path.Exists(Path.Combine(folder, holding)))
                .Select(folder => Path.GetRelativePath(top, folder).Replace('\\', '/')).Select(below => below == "." ? name : $"{name}/{below}"),
        ];
    }

    /// <summary>In the shared folder; for the smallest, where that is missing, in the repository.</summary>
    private static string FolderOf(string recording)
    {
        var shared = SharedFolder.Find($"parity/{recording.Split('/')[0]}") is null ? null : SharedFolder.Find("parity");
        return Path.Combine(shared ?? Fixtures.PathOf(""), recording);
    }

    private static string Missing(string name, string? holding) =>
        $"shared/parity/{name} with {Facts}{(holding is null ? "" : $" and {holding}")} is not beside the repository ({SharedFolder.Variable} can "
            + $"say where shared is).";
}
