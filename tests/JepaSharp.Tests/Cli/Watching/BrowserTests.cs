using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using JepaSharp.Cli.Watching;
using JepaSharp.Reports;

namespace JepaSharp.Tests.Cli.Watching;

/// <summary>Pages in a real browser, without a window, where one is installed.</summary>
public sealed class BrowserTests
{
    private static readonly string? Browser =
        new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);

    [Fact]
    public async Task Page_ThatIsOpen_ShowsNewStepsWithoutBeingLoadedAgain()
    {
        Assert.SkipWhen(Browser is null, "needs chromium");
        using var folder = new TemporaryFolder();
        RunFiles.Write(folder["runs/a"], 8);
        var asked = new ConcurrentQueue<string>();
        var pages = new LivePages(new LiveReport(folder["runs"]), null, TimeSpan.FromSeconds(0.2));
        using var stop = new CancellationTokenSource();
        using var server = PageServer.Start(IPAddress.Loopback, 0, request =>
        {
            asked.Enqueue(request.Path);
            if (asked.Count(path => path == "/run") == 2) RunFiles.Write(folder["runs/a"], 11, "step 9: something went wrong");
            return pages.Answer(request);
        });
        var serving = server.ServeAsync(stop.Token);
        var shown = Dom($"http://127.0.0.1:{server.Port}/run?name=a", folder["profile"]);
        await stop.CancelAsync();
        await serving;
        Assert.Contains("<dt>steps</dt><dd>11</dd>", shown, StringComparison.Ordinal);
        Assert.Contains("something went wrong", shown, StringComparison.Ordinal);
        Assert.Contains("<polyline class=\"line c1\"", shown, StringComparison.Ordinal);
        Assert.True(asked.Count(path => path == "/run") >= 2);
        Assert.All(asked, path => Assert.True(path is "/run" or "/favicon.ico", path));
    }

    /// <summary>What the page is after some seconds of its own time.</summary>
    private static string Dom(string address, string profile)
    {
        using var browser = Process.Start(new ProcessStartInfo(
            Browser!,
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", $"--user-data-dir={profile}",
                "--virtual-time-budget=3000", "--timeout=60000", "--dump-dom", address,
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = browser.StandardError.ReadToEndAsync();
        var shown = browser.StandardOutput.ReadToEnd();
        browser.WaitForExit();
        _ = errors.Result;
        return shown;
    }
}
