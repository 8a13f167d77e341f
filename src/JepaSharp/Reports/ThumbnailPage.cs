using System.Text;
using JepaSharp.Pictures;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static JepaSharp.Reports.HtmlText;

namespace JepaSharp.Reports;

/// <summary>An image on a page.</summary>
/// <param name="Picture">How it looks; null where it is not there, or cannot be read any more.</param>
/// <param name="Name">Its name.</param>
/// <param name="Caption">What is said of it.</param>
/// <param name="IsMarked">Whether it is set off from its row: the one to keep, the one that was asked for.</param>
public sealed record PictureNote(Thumbnail? Picture, string Name, string Caption, bool IsMarked = false);

/// <summary>Images that belong together on a page.</summary>
/// <param name="Title">What they have in common.</param>
/// <param name="Pictures">The images.</param>
public sealed record PictureRow(string Title, IReadOnlyList<PictureNote> Pictures);

/// <summary>A page of small pictures in rows: one file, with its style and pictures inside, without scripts, that opens anywhere.</summary>
public static class ThumbnailPage
{
    private const string Css = """
        .row { display: flex; flex-wrap: wrap; gap: .6rem; margin: .6rem 0 1.4rem; align-items: flex-start; }
        .row figure { max-width: 9rem; } .row img, .row .gone { display: block; border: 2px solid transparent; border-radius: .3rem; }
        .row .marked img { border-color: var(--c1); } .row .gone { width: 96px; height: 72px; background: var(--rule); color: var(--faint); font-size: .8rem; padding: 1rem .5rem; }
        .row figcaption { overflow-wrap: anywhere; line-height: 1.3; margin-top: .2rem; } .row figcaption b { color: var(--ink); font-weight: 600; }
        """;

    /// <summary>Writes the page: under another name first, so that it is there whole or not at all.</summary>
    /// <param name="path">A file ending in .html.</param>
    /// <param name="title">Its head line.</param>
    /// <param name="lead">Sentences below it.</param>
    /// <param name="rows">The pictures.</param>
    /// <exception cref="JepaException">It cannot be written.</exception>
    public static void Write(string path, string title, IReadOnlyList<string> lead, IReadOnlyList<PictureRow> rows)
    {
        var html = Encoding.UTF8.GetBytes(Html(title, lead, rows));
        DurableFile.Write(path, stream => stream.Write(html));
    }

    internal static string Html(string title, IReadOnlyList<string> lead, IReadOnlyList<PictureRow> rows)
    {
        var html = new StringBuilder($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Escape(title)} - JepaSharp</title>
            <style>
            {ReportStyle.Css}
            {Css}
            </style>
            </head>
            <body>
            <h1>{Escape(title)}</h1>

            """);
        foreach (var sentence in lead) html.Append($"<p class=\"lead\">{Escape(sentence)}</p>\n");
        foreach (var row in rows)
        {
            html.Append($"<h3>{Escape(row.Title)}</h3>\n<div class=\"row\">\n");
            foreach (var note in row.Pictures) html.Append(Figure(note));
            html.Append("</div>\n");
        }

        html.Append("<footer>Written by JepaSharp. This file needs no other: it can be moved and sent.</footer>\n</body>\n</html>\n");
        return html.ToString();
    }

    private static string Figure(PictureNote note)
    {
        var picture = note.Picture is { } p
            ? $"<img alt=\"\" width=\"{p.Width}\" height=\"{p.Height}\" src=\"data:image/jpeg;base64,{Convert.ToBase64String(p.Jpeg)}\">"
            : "<div class=\"gone\">no picture</div>";
        return $"<figure{(note.IsMarked ? " class=\"marked\"" : "")}>{picture}<figcaption><b>{Escape(note.Caption)}</b> {Escape(note.Name)}"
            + "</figcaption></figure>\n";
    }
}
