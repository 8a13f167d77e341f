using System.Security.Cryptography;
using System.Text;
using static JepaSharp.Reports.HtmlText;

namespace JepaSharp.Reports;

/// <summary>A whole page around a main part that is fetched again and again from where it came from.</summary>
/// <remarks>One script, in the page itself; nothing is loaded from anywhere else, and <see cref="Policy"/> says so to the browser.</remarks>
public static class LivePage
{
    private const string Style = """
        nav { margin-bottom: 1rem; } nav a { margin-right: 1rem; } a { color: var(--c1); }
        #link { position: fixed; right: 1rem; bottom: 1rem; margin: 0; } #link:empty { display: none; }
        table.runs td { vertical-align: middle; } table.runs td:first-child { min-width: 0; width: 2rem; } button { font: inherit; padding: .4rem .9rem; }
        """;

    // What a reader has opened or chosen stays so; a page that has not changed is not laid out again.
    private const string Script = """
        const main = document.querySelector('main'), link = document.querySelector('#link');
        const every = Number(document.body.dataset.every);
        let tag = document.body.dataset.tag;
        async function look() {
          try {
            const answer = await fetch(location.href, { headers: { 'If-None-Match': tag }, cache: 'no-store' });
            if (answer.status === 200) {
              tag = answer.headers.get('ETag');
              const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
              const open = [...main.querySelectorAll('details')].map(d => d.open);
              const chosen = new Set([...main.querySelectorAll('input:checked')].map(i => i.value));
              main.replaceChildren(...page.querySelector('main').childNodes);
              main.querySelectorAll('details').forEach((d, i) => { d.open = open[i] ?? d.open; });
              main.querySelectorAll('input').forEach(i => { i.checked = chosen.has(i.value); });
              document.title = page.title;
            }
            link.textContent = answer.status === 404 ? 'The run is gone. What is shown was true before.' : '';
          } catch {
            link.textContent = 'jepa watch does not answer. What is shown was true before.';
          }
          setTimeout(look, every);
        }
        setTimeout(look, every);
        """;

    /// <summary>What the page's browser may do: run its one script, show pictures that are inside it, and ask the same address again.</summary>
    public static string Policy { get; } = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; connect-src 'self'; form-action 'self'; "
        + $"base-uri 'none'; frame-ancestors 'none'; script-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Script)))}'";

    /// <summary>The page as HTML.</summary>
    /// <param name="title">Of the window.</param>
    /// <param name="navigation">Links above: texts and addresses.</param>
    /// <param name="main">HTML of the main part.</param>
    /// <param name="tag">What tells this state of the page from others.</param>
    /// <param name="every">How long until it is asked for again.</param>
    public static string Of(string title, IEnumerable<(string Text, string Address)> navigation, string main, string tag, TimeSpan every)
    {
        var links = string.Concat(navigation.Select(link => $"<a href=\"{Escape(link.Address)}\">{Escape(link.Text)}</a>"));
        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Escape(title)} - JepaSharp</title>
            <style>
            {ReportStyle.Css}
            {Style}
            </style>
            </head>
            <body data-tag="{Escape(tag)}" data-every="{At(every.TotalMilliseconds)}">
            <nav>{links}</nav>
            <main>
            {main}</main>
            <p id="link" class="note warning" role="status"></p>
            <script>{Script}</script>
            </body>
            </html>

            """;
    }
}
