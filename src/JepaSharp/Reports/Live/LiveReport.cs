using System.Text;
using JepaSharp.Runtime;
using static JepaSharp.Reports.HtmlText;

namespace JepaSharp.Reports;

/// <summary>Runs as pages that are made anew from their folders whenever they are asked for: while runs go on, begin and end.</summary>
/// <remarks>Nothing is written. Pages hold no path but the folder's name of a run, and want nothing from anywhere else. Not safe to use from several
/// threads at a time.</remarks>
public sealed class LiveReport
{
    /// <summary>As many runs as can be told apart by colour.</summary>
    public const int MostSideBySide = 8;

    private const int Deepest = 3, MostFolders = 2000;
    private readonly TimeProvider _clock;
    private Dictionary<string, WatchedRun> _runs = [];

    /// <summary>Watches a folder.</summary>
    /// <param name="folder">A run folder, or one that holds run folders, up to three levels down. Links are not followed.</param>
    /// <param name="clock">For how long nothing was written; the system's if not given.</param>
    /// <exception cref="JepaException">There is no such folder.</exception>
    public LiveReport(string folder, TimeProvider? clock = null)
    {
        Folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (!Directory.Exists(Folder))
            throw new JepaException($"{folder} is no folder. Give a run folder, or a folder that holds some.", isUsage: true);
        _clock = clock ?? TimeProvider.System;
        IsOneRun = File.Exists(Path.Combine(Folder, "config.yaml"));
    }

    /// <summary>Full path of what is watched.</summary>
    public string Folder { get; }

    /// <summary>Whether it is one run, rather than a folder of runs.</summary>
    public bool IsOneRun { get; }

    /// <summary>Names of the runs that are there now, those that wrote last first.</summary>
    public IReadOnlyList<string> Names => [.. Current().Select(run => run.Name)];

    /// <summary>Full path of a run; null where there is no run of that name.</summary>
    public string? FolderOf(string name) => Current().FirstOrDefault(run => run.Name == name)?.Folder;

    /// <summary>The list of all runs, as HTML of a page's main part.</summary>
    /// <param name="linkTo">The address of a run's page.</param>
    /// <param name="sideBySide">The address of the page that compares runs.</param>
    public string List(Func<string, string> linkTo, string sideBySide) => RunsTable.Of(Path.GetFileName(Folder), Current(), linkTo, sideBySide);

    /// <summary>A run's report as it is now, as HTML of a page's main part; null where there is no such run.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="pictures">Pictures of it; null for none.</param>
    /// <param name="note">What is to be said of the pictures; null for nothing.</param>
    public string? Run(string name, ReportPictures? pictures, string? note)
    {
        if (Current().FirstOrDefault(run => run.Name == name) is not { } run) return null;
        if (run is not { Record: { } record, Progress: { } progress })
            return $"<h1>{Escape(run.Name)}</h1>\n<p class=\"note warning\">{Escape(run.Problem ?? "The run cannot be read.")}</p>\n";
        var top = new StringBuilder("<dl class=\"facts\">");
        foreach (var (title, value) in RunsTable.ProgressFacts(record, progress)) top.Append($"<div><dt>{title}</dt><dd>{value}</dd></div>");
        return ReportPage.Body(record, top.Append("</dl>\n").ToString(), pictures?.Html, null, note is null ? [] : [note]);
    }

    /// <summary>Runs side by side, as HTML of a page's main part; null where one is not there, or there are more than
    /// <see cref="MostSideBySide"/>.</summary>
    /// <param name="names">Some of <see cref="Names"/>.</param>
    /// <param name="linkTo">The address of a run's page.</param>
    public string? SideBySide(IReadOnlyList<string> names, Func<string, string> linkTo)
    {
        ArgumentNullException.ThrowIfNull(names);
        var current = Current();
        List<WatchedRun?> chosen = [.. names.Distinct().Select(name => current.FirstOrDefault(run => run.Name == name))];
        if (chosen.Count is 0 or > MostSideBySide || chosen.Contains(null)) return null;
        return SideBySideSection.Of([.. chosen.Select(run => run!)], linkTo);
    }

    /// <summary>The runs that are there now, those that wrote last first.</summary>
    private List<WatchedRun> Current()
    {
        var now = _clock.GetUtcNow().UtcDateTime;
        var found = IsOneRun ? [Path.GetFileName(Folder)] : Found();
        _runs = found.ToDictionary(
            name => name, name => _runs.GetValueOrDefault(name) ?? new WatchedRun(name, IsOneRun ? Folder : Path.Combine(Folder, name)));
        foreach (var run in _runs.Values) run.Refresh(now);
        return [.. _runs.Values.OrderBy(run => run.Progress?.Silence ?? TimeSpan.MaxValue).ThenBy(run => run.Name, StringComparer.Ordinal)];
    }

    private List<string> Found()
    {
        var (found, seen) = (new List<string>(), 0);
        var waiting = new Queue<(DirectoryInfo Folder, int Depth)>([(new DirectoryInfo(Folder), 0)]);
        while (waiting.TryDequeue(out var next) && seen++ < MostFolders)
        {
            if (next.Depth > 0 && File.Exists(Path.Combine(next.Folder.FullName, "config.yaml")))
            {
                found.Add(Path.GetRelativePath(Folder, next.Folder.FullName).Replace('\\', '/'));
                continue;
            }

            if (next.Depth == Deepest) continue;
            try
            {
                foreach (var inner in next.Folder.EnumerateDirectories())
                {
                    if (inner.LinkTarget is null && inner.Name[0] != '.') waiting.Enqueue((inner, next.Depth + 1));
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A folder that goes away or may not be read holds no run that could be shown.
            }
        }

        return found;
    }
}

/// <summary>Pictures of a run for its page: masks, feature maps and neighbours on its own images.</summary>
/// <param name="Html">A part of a page, with the pictures in it.</param>
public sealed record ReportPictures(string Html);
