using System.Net;
using System.Net.Sockets;
using System.Text;
using JepaSharp.Cli.Watching;
using JepaSharp.Reports;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Cli.Watching;

/// <summary>Pages as a browser gets them, and what it does not get.</summary>
public sealed class PageServerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _browser = new();
    private readonly PageServer _server;
    private readonly Task _serving;

    public PageServerTests()
    {
        RunFiles.Write(_folder["runs/first run"], 8);
        RunFiles.Write(_folder["runs/second & <b>"], 8);
        RunFiles.Write(_folder["outside"], 8, "step 1: secret");
        File.WriteAllText(_folder["secret.txt"], "secret");
        var pages = new LivePages(new LiveReport(_folder["runs"]), null, TimeSpan.FromSeconds(1));
        _server = PageServer.Start(IPAddress.Loopback, 0, pages.Answer);
        _serving = _server.ServeAsync(_stop.Token);
        _browser.BaseAddress = new Uri($"http://127.0.0.1:{_server.Port}/");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _stop.Cancel();
        _serving.GetAwaiter().GetResult();
        _browser.Dispose();
        _server.Dispose();
        _stop.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Browser_FromTheListToARunAndToTwo_GetsThem()
    {
        var list = await _browser.GetStringAsync("/", Cancellation);
        Assert.Contains("/run?name=first%20run", list, StringComparison.Ordinal);
        Assert.Contains("second &amp; &lt;b&gt;", list, StringComparison.Ordinal);
        Assert.DoesNotContain("outside", list, StringComparison.Ordinal);
        Assert.Contains("<svg", await _browser.GetStringAsync("/run?name=first%20run", Cancellation), StringComparison.Ordinal);
        var both = await _browser.GetStringAsync("/compare?run=first+run&run=second%20%26%20%3Cb%3E", Cancellation);
        Assert.Contains("2 runs side by side", both, StringComparison.Ordinal);
        Assert.Contains("No run was chosen", await _browser.GetStringAsync("/compare", Cancellation), StringComparison.Ordinal);
        foreach (var page in new[] { list, both })
        {
            Assert.DoesNotContain("src=\"http", page, StringComparison.Ordinal);
            Assert.DoesNotContain("<link", page, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/run?name=../outside")]
    [InlineData("/run?name=%2e%2e%2foutside")]
    [InlineData("/run?name=/etc")]
    [InlineData("/run?name=")]
    [InlineData("/run")]
    [InlineData("/run?name=first run/../../outside")]
    [InlineData("/../secret.txt")]
    [InlineData("/%2e%2e/secret.txt")]
    [InlineData("/first run/config.yaml")]
    [InlineData("/compare?run=../outside&run=first+run")]
    public async Task Address_OfAnythingElse_IsNotFound(string address)
    {
        using var answer = await _browser.GetAsync(address, Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.DoesNotContain("secret", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_ThatHasNotChanged_IsNotSentAgain()
    {
        RunFiles.Age(_folder["runs/first run"], TimeSpan.FromHours(30));
        using var first = await _browser.GetAsync("/run?name=first%20run", Cancellation);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/run?name=first%20run");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var unchanged = await _browser.SendAsync(again, Cancellation);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        RunFiles.Write(_folder["runs/first run"], 9);
        using var later = new HttpRequestMessage(HttpMethod.Get, "/run?name=first%20run");
        later.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var changed = await _browser.SendAsync(later, Cancellation);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
    }

    [Fact]
    public async Task Page_ForbidsItsBrowserEverythingFromElsewhere()
    {
        using var answer = await _browser.GetAsync("/", Cancellation);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: HERE\r\nContent-Length: 3\r\n\r\nabc", "405")]
    [InlineData("DELETE /run?name=first%20run HTTP/1.1\r\nHost: HERE\r\n\r\n", "405")]
    [InlineData("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "403")]
    [InlineData("GET /", "none")]
    [InlineData("GET secret.txt HTTP/1.1\r\nHost: HERE\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost HERE\r\n\r\n", "400")]
    [InlineData("\u0016\u0003\u0001\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: HERE\r\nIf-None-Match: %%%\r\n\r\n", "200")]
    [InlineData("HEAD / HTTP/1.1\r\nHost: HERE\r\n\r\n", "200")]
    public async Task Request_OfAnyKind_IsAnsweredAndTheNextOneToo(string request, string status)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _server.Port, Cancellation);
        var stream = client.GetStream();
        var here = request.Replace("HERE", $"127.0.0.1:{_server.Port}", StringComparison.Ordinal);
        await stream.WriteAsync(Encoding.Latin1.GetBytes(here), Cancellation);
        if (status == "none") client.Client.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(Cancellation);
        Assert.StartsWith($"HTTP/1.1 {(status == "none" ? "400" : status)} ", answer, StringComparison.Ordinal);
        if (request.StartsWith("HEAD", StringComparison.Ordinal)) Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("Runs", await _browser.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Head_ThatNeverEnds_IsCutOff()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _server.Port, Cancellation);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes("GET / HTTP/1.1\r\nX: " + new string('x', PageRequest.MostBytes)), Cancellation);
        var buffer = new byte[100];
        var count = await stream.ReadAsync(buffer, Cancellation);
        Assert.StartsWith("HTTP/1.1 400", Encoding.Latin1.GetString(buffer, 0, count), StringComparison.Ordinal);
    }

    [Fact]
    public void Port_ThatIsTaken_IsRefusedInASentence()
    {
        var error = Assert.Throws<JepaException>(() => PageServer.Start(IPAddress.Loopback, _server.Port, _ => PageAnswer.Missing("")));
        Assert.Contains("another program listens there", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsUsage);
    }
}
