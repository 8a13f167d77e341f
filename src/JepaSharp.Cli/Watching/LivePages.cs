using System.Security.Cryptography;
using System.Text;
using JepaSharp.Reports;

namespace JepaSharp.Cli.Watching;

/// <summary>Which page an address stands for: all runs at <c>/</c>, one at <c>/run?name=</c>, several at <c>/compare?run=&amp;run=</c>.</summary>
/// <remarks>A run is found by its name among those that were found in the folder: no part of an address is ever made a path.</remarks>
internal sealed class LivePages(LiveReport report, PictureDrawer? pictures, TimeSpan every)
{
    private const string Compare = "/compare";

    /// <summary>Answers a request.</summary>
    public PageAnswer Answer(PageRequest request) => (request.Path, report.IsOneRun) switch
    {
        ("/", true) => Run(report.Names[0]),
        ("/", false) => Page("Runs", [], report.List(AddressOf, Compare)),
        ("/run", false) => Run(request.Query.FirstOrDefault(pair => pair.Name == "name").Value ?? ""),
        (Compare, false) => SideBySide([.. request.Query.Where(pair => pair.Name == "run").Select(pair => pair.Value)]),
        ("/favicon.ico", _) => new PageAnswer(204, "No Content", ""),
        _ => PageAnswer.Missing("There is no such page here. All runs are at /."),
    };

    private static string AddressOf(string name) => "/run?name=" + Uri.EscapeDataString(name);

    private PageAnswer Run(string name)
    {
        var folder = report.FolderOf(name);
        var (drawn, note) = folder is null || pictures is null ? (null, null) : pictures.Of(folder);
        return report.Run(name, drawn, note) is { } main
            ? Page(name, Back, main)
            : PageAnswer.Missing("There is no such run in the folder that is watched. All runs are at /.");
    }

    private PageAnswer SideBySide(IReadOnlyList<string> names)
    {
        if (names.Count == 0) return Page("Runs side by side", Back, "<p class=\"note\">No run was chosen: go back and tick two or more.</p>\n");
        if (report.SideBySide(names, AddressOf) is { } main) return Page("Runs side by side", Back, main);
        return names.Distinct().Count() > LiveReport.MostSideBySide
            ? new PageAnswer(400, "Bad Request", $"At most {LiveReport.MostSideBySide} runs can be told apart by colour; choose fewer.\n")
            : PageAnswer.Missing("One of these runs is not in the folder that is watched. All runs are at /.");
    }

    private (string, string)[] Back => report.IsOneRun ? [] : [("All runs", "/")];

    private PageAnswer Page(string title, IReadOnlyList<(string, string)> navigation, string main)
    {
        var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(main)).AsSpan(0, 12))}\"";
        return PageAnswer.Page(LivePage.Of(title, navigation, main, tag, every), tag);
    }
}
