using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using JepaSharp.Data;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Pictures;
using JepaSharp.Reports;
using JepaSharp.Tests.Evaluation;

namespace JepaSharp.Tests.Reports;

/// <summary>Pages of pictures, and the map in a real browser where there is one.</summary>
public sealed partial class MapPageTests : IDisposable
{
    private const int Images = 10_000, Asked = 4321;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Loads a map of 10,000 images, clicks one, then one of its neighbours, zooms, and searches a name.</summary>
    [Fact]
    public void Map_OfTenThousandImagesInABrowser_IsDrawnClickedZoomedAndSearched()
    {
        var browser = Browser();
        if (browser is null) Assert.Skip("There is no Chromium or Chrome here.");
        var map = Map(Images);
        MapPage.Write(_folder["map.html"], map);
        var script = $$"""
            <script>
            const root = document.documentElement.dataset;
            const wait = setInterval(() => {
              if (!root.ready) return;
              clearInterval(wait);
              const touch = (kind, x, y) => plane.dispatchEvent(new PointerEvent(kind, { clientX: x, clientY: y, pointerId: 1, bubbles: true }));
              root.all = root.drawn;
              let [x, y] = onScreen({{Asked}});
              touch("pointerdown", x, y); touch("pointerup", x, y);
              root.first = root.chosen;
              root.listed = [...document.querySelectorAll("#near button")].map(b => b.dataset.image).join(" ");
              document.querySelectorAll("#near button")[1].click();
              root.second = root.chosen;
              plane.dispatchEvent(new WheelEvent("wheel", { deltaY: -2000, clientX: x, clientY: y, bubbles: true, cancelable: true }));
              draw();
              root.zoomed = root.drawn;
              byId("find").value = "image 77"; byId("find").dispatchEvent(new Event("input"));
              root.said = byId("status").textContent;
              document.getElementById("data").remove();
              root.done = "yes";
            }, 20);
            </script>
            """;
        var page = File.ReadAllText(_folder["map.html"])
            .Replace("<body>", "<body><script>window.onerror = m => document.documentElement.dataset.error = m;</script>", StringComparison.Ordinal)
            .Replace("</body>", script + "</body>", StringComparison.Ordinal);
        File.WriteAllText(_folder["test.html"], page);
        var dom = Dump(browser!, _folder["test.html"]);
        var said = Attribute().Matches(dom[..Math.Min(dom.Length, 4000)]).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        Assert.False(said.ContainsKey("error"), said.GetValueOrDefault("error"));
        Assert.Equal("yes", said.GetValueOrDefault("done"));
        Assert.Equal((Images.ToString(CultureInfo.InvariantCulture), "10000"), (said["ready"], said["all"]));
        Assert.Equal(Asked.ToString(CultureInfo.InvariantCulture), said["first"]);
        int[] near = [Asked, .. map.Neighbours.Rows.AsSpan(Asked * map.Neighbours.Count, map.Neighbours.Count).ToArray()];
        Assert.Equal(string.Join(' ', near), said["listed"]);
        Assert.Equal(near[1].ToString(CultureInfo.InvariantCulture), said["second"]);
        Assert.InRange(int.Parse(said["zoomed"], CultureInfo.InvariantCulture), 1, Images / 2);
        Assert.Equal("111 of 10,000 images", said["said"]); // 77, 770 to 779, 7700 to 7799
    }

    [Fact]
    public void Map_OfNamesThatLookLikeMarkup_HoldsThemAsText()
    {
        var map = Map(20);
        map = map with { Names = [.. map.Names.Select((name, i) => i == 3 ? "</script><b>&\u2028.png" : name)], Title = "<b>" };
        var html = MapPage.Html(map);
        Assert.DoesNotContain("</script><b>", html, StringComparison.Ordinal);
        Assert.Contains("<h1>&lt;b&gt;</h1>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http", html, StringComparison.Ordinal); // nothing comes from a net
    }

    [Fact]
    public void Pictures_OnAPage_HoldNamesAsText()
    {
        using var source = new Coloured(1);
        var picture = Thumbnail.Of(source, 0, 8)!;
        var html = ThumbnailPage.Html(
            "<i>", ["a & b"], [new PictureRow("r", [new PictureNote(picture, "<x>", "1", true), new PictureNote(null, "y", "2")])]);
        Assert.Contains("&lt;x&gt;", html, StringComparison.Ordinal);
        Assert.Contains("data:image/jpeg;base64,", html, StringComparison.Ordinal);
        Assert.Contains("no picture", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<i>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http", html, StringComparison.Ordinal);
    }

    private static ImageMap Map(int images)
    {
        using var source = new Coloured(images);
        var vectors = UnitVectors.Of(Synthetic.Noise(images, 8, 1));
        using var search = NeighbourSearch.Over(vectors);
        var places = NeighbourLayout.Principal(vectors);
        int[] all = [.. Enumerable.Range(0, images)];
        return new ImageMap(
            "map", "All.", [.. all.Select(source.NameOf)], [.. all.Select(i => i % 2 == 0 ? "even" : null)],
            KMeans.Fit(vectors, 5, iterations: 3), places, places, search.NearestOfEach(6), ThumbnailAtlas.Of(source, all, 16));
    }

    private static string Dump(string browser, string page)
    {
        using var profile = new TemporaryFolder();
        var start = new ProcessStartInfo(browser)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var word in (string[])["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,800",
            $"--user-data-dir={profile.Path}", "--virtual-time-budget=60000", "--dump-dom", new Uri(page).AbsoluteUri])
            start.ArgumentList.Add(word);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var dom = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(4))) process.Kill(entireProcessTree: true);
        process.WaitForExit();
        return dom.GetAwaiter().GetResult();
    }

    private static string? Browser() => ((string[])["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
        .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    [GeneratedRegex("data-([a-z]+)=\"([^\"]*)\"")]
    private static partial Regex Attribute();

    /// <summary>Small images of one colour each.</summary>
    private sealed class Coloured(int count) : ImageSource
    {
        public override int Count => count;

        public override string Description => "colours";

        public override string NameOf(int index) => $"image {index}";

        public override OpenedImage Open(int index)
        {
            var image = new RgbImage(4, 4);
            for (var i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = (byte)(index * (7 + (i % 3)));
            return new PixelImage(image);
        }
    }
}
