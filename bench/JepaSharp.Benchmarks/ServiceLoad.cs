using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks;

/// <summary>Sends one image again and again, several at a time, to a service: requests a second, the median and the 99th percentile of how long
/// they take, and what was refused.</summary>
internal static class ServiceLoad
{
    private const int WarmUp = 20, Unanswered = 0;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static int Run(string address, string image, IReadOnlyList<string> options)
    {
        var (requests, atATime) = (Option(options, "--requests", 400), Option(options, "--at-a-time", 8));
        if (!Uri.TryCreate(address, UriKind.Absolute, out var target) || target.Scheme is not ("http" or "https"))
            throw new JepaException($"{address} is no address. Expected one such as http://127.0.0.1:5080/embed.", isUsage: true);
        if (!File.Exists(image)) throw new JepaException($"{image} does not exist. Expected a JPEG, PNG or WebP file.", isUsage: true);
        return RunAsync(target, File.ReadAllBytes(image), requests, atATime).GetAwaiter().GetResult();
    }

    private static async Task<int> RunAsync(Uri target, byte[] image, int requests, int atATime)
    {
        using var handler = new SocketsHttpHandler { MaxConnectionsPerServer = atATime };
        using var client = new HttpClient(handler) { Timeout = Patience };
        for (var i = 0; i < WarmUp; i++)
            if (await SendAsync(client, target, image).ConfigureAwait(false) == Unanswered)
                throw new JepaException($"{target} has not answered within {Patience.TotalSeconds:0} seconds.");
        var sent = new (int Status, double Milliseconds)[requests];
        var next = -1;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, atATime).Select(async _ =>
        {
            for (int mine; (mine = Interlocked.Increment(ref next)) < requests;)
            {
                var one = Stopwatch.StartNew();
                var status = await SendAsync(client, target, image).ConfigureAwait(false);
                sent[mine] = (status, one.Elapsed.TotalMilliseconds);
            }
        })).ConfigureAwait(false);
        var seconds = clock.Elapsed.TotalSeconds;
        double[] times = [.. sent.Where(one => one.Status == 200).Select(one => one.Milliseconds).Order()];
        Console.WriteLine(times.Length == 0 ? $"none of {Quantity.Of(requests, "request")} was served" : string.Create(CultureInfo.InvariantCulture,
            $"{requests:n0} requests, {atATime} at a time: {times.Length / seconds:F1} answered a second, in {At(times, 0.5):F1} ms in the median "
                + $"and {At(times, 0.99):F1} ms at the 99th percentile"));
        foreach (var status in sent.Where(one => one.Status != 200).GroupBy(one => one.Status).OrderBy(group => group.Key))
            Console.WriteLine($"{Quantity.Of(status.Count(), "request")} {(status.Key == Unanswered
                ? $"not answered within {Patience.TotalSeconds:0} seconds" : $"answered with {status.Key}")}");
        return times.Length == requests ? 0 : 1;
    }

    private static async Task<int> SendAsync(HttpClient client, Uri target, byte[] image)
    {
        using var content = new ByteArrayContent(image);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        try
        {
            using var answer = await client.PostAsync(target, content).ConfigureAwait(false);
            _ = await answer.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
            return (int)answer.StatusCode;
        }
        catch (TaskCanceledException)
        {
            return Unanswered;
        }
        catch (HttpRequestException e)
        {
            throw new JepaException($"{target} does not answer: {e.Message} Start the service first.", inner: e);
        }
    }

    /// <summary>The least of ordered values that a share of them do not exceed.</summary>
    private static double At(double[] ordered, double share) =>
        ordered[Math.Max(0, (int)Math.Ceiling(share * ordered.Length) - 1)];

    private static int Option(IReadOnlyList<string> options, string name, int otherwise)
    {
        for (var i = 0; i < options.Count; i++)
            if (options[i] == name)
                return i + 1 < options.Count && int.TryParse(options[i + 1], CultureInfo.InvariantCulture, out var value) && value > 0
                    ? value
                    : throw new JepaException($"{name} wants a whole number above 0.", isUsage: true);
        return otherwise;
    }
}
