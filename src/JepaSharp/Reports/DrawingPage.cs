using System.Text;
using JepaSharp.Data;
using static JepaSharp.Reports.HtmlText;

namespace JepaSharp.Reports;

/// <summary>What a page of drawn blocks shows.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Lead">A sentence or two below it.</param>
/// <param name="Facts">Names and values.</param>
/// <param name="Columns">Captions of the pictures of a row.</param>
/// <param name="Rows">Of each image its name and its pictures, one a column.</param>
internal sealed record DrawingPageContent(
    string Title, string Lead, IReadOnlyList<(string Name, string Value)> Facts, IReadOnlyList<string> Columns,
    IReadOnlyList<(string Name, IReadOnlyList<RgbImage> Pictures)> Rows)
{
    /// <summary>What is to be said before all else, a sentence each; warnings among them are so marked.</summary>
    public IReadOnlyList<(string Text, bool IsWarning)> Notes { get; init; } = [];

    /// <summary>Tables: a heading, a text, the columns and the rows.</summary>
    public IReadOnlyList<DrawingTable> Tables { get; init; } = [];

    /// <summary>Further pictures with captions, below the tables.</summary>
    public IReadOnlyList<(string Caption, RgbImage Picture)> Maps { get; init; } = [];
}

/// <summary>A table of the page.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Text">What it is, and how to read it.</param>
/// <param name="Columns">Headings.</param>
/// <param name="Rows">Cells.</param>
internal sealed record DrawingTable(string Title, string Text, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>Drawn blocks as a page: one file, with its style and pictures inside, without scripts.</summary>
internal static class DrawingPage
{
    /// <summary>The page as HTML.</summary>
    public static string Of(DrawingPageContent content)
    {
        var html = new StringBuilder($$"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{{Escape(content.Title)}} - JepaSharp</title>
            <style>
            {{ReportStyle.Css}}
            body { max-width: 96rem; }
            .drawn { display: grid; gap: .4rem; overflow-x: auto; margin-bottom: .8rem; }
            .drawn img { width: 100%; height: auto; image-rendering: pixelated; }
            .maps { display: flex; flex-wrap: wrap; gap: 1rem; } .maps img { image-rendering: pixelated; }
            .scroll { overflow-x: auto; }
            </style>
            </head>
            <body>
            <h1>{{Escape(content.Title)}}</h1>
            <p class="lead">{{Escape(content.Lead)}}</p>

            """);
        html.Append("<dl class=\"facts\">");
        foreach (var (name, value) in content.Facts) html.Append($"<div><dt>{Escape(name)}</dt><dd>{Escape(value)}</dd></div>");
        html.Append("</dl>\n");
        foreach (var (text, isWarning) in content.Notes)
            html.Append($"<p class=\"note{(isWarning ? " warning" : "")}\">{Escape(text)}</p>\n");
        foreach (var (name, pictures) in content.Rows)
        {
            html.Append($"<h3>{Escape(name)}</h3>\n");
            html.Append($"<div class=\"drawn\" style=\"grid-template-columns: repeat({pictures.Count}, minmax(5rem, 1fr))\">");
            foreach (var (picture, caption) in pictures.Zip(content.Columns)) html.Append(PictureFigure.Of(picture, caption));
            html.Append("</div>\n");
        }

        foreach (var table in content.Tables) html.Append(TableOf(table));
        if (content.Maps.Count > 0)
        {
            html.Append("<h2>Where pictures of one representation differ</h2>\n<p>Share of the variance, place by place over all blocks: black 0, "
                + "decided by the representation; white 1, left open by it.</p>\n<div class=\"maps\">");
            foreach (var (caption, picture) in content.Maps) html.Append(PictureFigure.Of(picture, caption));
            html.Append("</div>\n");
        }

        html.Append("<footer>Written by JepaSharp. This file needs no other: it can be moved and sent.</footer>\n</body>\n</html>\n");
        return html.ToString();
    }

    private static string TableOf(DrawingTable table)
    {
        static string Cells(string tag, IEnumerable<string> cells) => string.Concat(cells.Select(c => $"<{tag}>{Escape(c)}</{tag}>"));
        return $"""
            <h2>{Escape(table.Title)}</h2>
            <p>{Escape(table.Text)}</p>
            <div class="scroll"><table>
            <thead><tr>{Cells("th", table.Columns)}</tr></thead>
            <tbody>{string.Concat(table.Rows.Select(r => $"<tr>{Cells("td", r)}</tr>\n"))}</tbody>
            </table></div>

            """;
    }
}
