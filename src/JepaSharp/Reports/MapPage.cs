using System.Text;
using System.Text.Json;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Pictures;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static JepaSharp.Reports.HtmlText;

namespace JepaSharp.Reports;

/// <summary>What a map shows, image by image.</summary>
/// <param name="Title">Its head line.</param>
/// <param name="Lead">What was laid out, a sentence.</param>
/// <param name="Names">[n].</param>
/// <param name="Labels">[n], null for an image without a label; null where no image has one.</param>
/// <param name="Clusters">The clusters.</param>
/// <param name="Layout">[n, 2], neighbours near each other.</param>
/// <param name="Principal">[n, 2], the first two principal components.</param>
/// <param name="Neighbours">The nearest of each image.</param>
/// <param name="Atlas">How the images look, in the same order.</param>
public sealed record ImageMap(
    string Title, string Lead, IReadOnlyList<string> Names, IReadOnlyList<string?>? Labels, Clusters Clusters, float[] Layout, float[] Principal,
    NeighbourLists Neighbours, ThumbnailAtlas Atlas);

/// <summary>A page on which all images lie on a plane, to be zoomed, moved and searched by a click: one file that opens anywhere, without a
/// net.</summary>
public static class MapPage
{
    private const int Steps = 9999;

    /// <summary>Writes the page: under another name first, so that it is there whole or not at all.</summary>
    /// <param name="path">A file ending in .html.</param>
    /// <param name="map">What it shows.</param>
    /// <exception cref="JepaException">It cannot be written.</exception>
    public static void Write(string path, ImageMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        var html = Encoding.UTF8.GetBytes(Html(map));
        DurableFile.Write(path, stream => stream.Write(html));
    }

    internal static string Html(ImageMap map) => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{Escape(map.Title)} - JepaSharp</title>
        <style>
        {MapScript.Css}
        </style>
        </head>
        <body>
        <canvas id="plane" tabindex="0" aria-label="All images on a plane"></canvas>
        <aside>
        <h1>{Escape(map.Title)}</h1>
        <p>{Escape(map.Lead)}</p>
        <p id="status" role="status">loading</p>
        <div class="controls">
        <label>layout <select id="layout"><option value="0">neighbours together</option><option value="1">principal components</option></select></label>
        <label>colour <select id="colour"></select></label>
        <label>find <input id="find" type="search" placeholder="part of a name"></label>
        <button id="reset" type="button">show all</button>
        </div>
        <p class="faint">Drag to move, turn the wheel or press + and - to zoom, click an image to see those nearest to it.</p>
        <div id="legend"></div>
        <h2 id="about" hidden></h2>
        <div id="near"></div>
        <footer>Written by JepaSharp. This file needs no other: it can be moved and sent.</footer>
        </aside>
        <script id="data" type="application/json">{Data(map)}</script>
        <script>
        {MapScript.Script}
        </script>
        </body>
        </html>

        """;

    /// <summary>The numbers as JSON, in which no text can end the script: every &lt; is written as an escape.</summary>
    private static string Data(ImageMap map)
    {
        string[] labels = [.. (map.Labels ?? []).Where(label => label is not null).Select(label => label!).Distinct().Order(StringComparer.Ordinal)];
        var index = labels.Index().ToDictionary(l => l.Item, l => l.Index, StringComparer.Ordinal);
        return JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["names"] = map.Names,
            ["labels"] = labels,
            ["label"] = map.Labels?.Select(label => label is null ? -1 : index[label]).ToArray(),
            ["clusters"] = map.Clusters.Count,
            ["cluster"] = map.Clusters.Labels,
            ["places"] = new[] { Whole(map.Layout), Whole(map.Principal) },
            ["steps"] = Steps,
            ["k"] = map.Neighbours.Count,
            ["near"] = map.Neighbours.Rows,
            ["cosine"] = map.Neighbours.Cosines.Select(cosine => float.IsFinite(cosine) ? (int)Math.Round(1000 * cosine) : 0).ToArray(),
            ["side"] = map.Atlas.Side,
            ["columns"] = map.Atlas.Columns,
            ["missing"] = map.Atlas.Missing,
            ["atlas"] = "data:image/jpeg;base64," + Convert.ToBase64String(map.Atlas.Jpeg),
        });
    }

    /// <summary>Places as whole numbers from 0, in both directions by the same scale.</summary>
    private static int[] Whole(float[] places)
    {
        if (places.Length == 0) return [];
        float[] low = [float.MaxValue, float.MaxValue], high = [float.MinValue, float.MinValue];
        for (var i = 0; i < places.Length; i++) (low[i & 1], high[i & 1]) = (Math.Min(low[i & 1], places[i]), Math.Max(high[i & 1], places[i]));
        var span = Math.Max(Math.Max(high[0] - low[0], high[1] - low[1]), 1e-12f);
        return [.. places.Select((value, i) => (int)Math.Round((value - low[i & 1]) / span * Steps))];
    }
}
