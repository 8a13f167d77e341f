using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using JepaSharp.Reports;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Watching;

/// <summary>Answers browsers with pages: HTTP/1.1, GET and HEAD alone, one request a connection.</summary>
/// <remarks>
/// Small on purpose: docs/decisions/0009. A request's head is bounded in bytes and time, connections in number. On the loopback address a request
/// must be addressed to it by name, so that no page of the web can read it through a name of its own.
/// </remarks>
internal sealed class PageServer : IDisposable
{
    private const int MostConnections = 32;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly TcpListener _listener;
    private readonly Func<PageRequest, PageAnswer> _answer;
    private readonly SemaphoreSlim _free = new(MostConnections);
    private readonly bool _isLocal;

    private PageServer(TcpListener listener, IPAddress address, Func<PageRequest, PageAnswer> answer) =>
        (_listener, _isLocal, _answer) = (listener, IPAddress.IsLoopback(address), answer);

    /// <summary>The port that is listened at.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Begins to listen.</summary>
    /// <param name="address">Where.</param>
    /// <param name="port">0: any that is free.</param>
    /// <param name="answer">Answers a request; called by one thread at a time.</param>
    /// <exception cref="JepaException">The port is taken, or not for us.</exception>
    public static PageServer Start(IPAddress address, int port, Func<PageRequest, PageAnswer> answer)
    {
        var listener = new TcpListener(address, port);
        try
        {
            listener.Start();
            return new PageServer(listener, address, answer);
        }
        catch (SocketException e)
        {
            listener.Dispose();
            var why = e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => "another program listens there",
                SocketError.AccessDenied => "this user may not listen there",
                SocketError.AddressNotAvailable => "this machine has no such address",
                _ => e.Message,
            };
            throw new JepaException(
                string.Create(
                    CultureInfo.InvariantCulture, $"{address}:{port} cannot be listened at: {why}. Give another --port (0: any), or --host."),
                isUsage: true, e);
        }
    }

    /// <summary>Answers until it is stopped.</summary>
    public async Task ServeAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await _free.WaitAsync(cancellation).ConfigureAwait(false);
                var client = await _listener.AcceptTcpClientAsync(cancellation).ConfigureAwait(false);
                _ = ServeOneAsync(client, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to.
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _free.Dispose();
    }

    private async Task ServeOneAsync(TcpClient client, CancellationToken cancellation)
    {
        try
        {
            using var connection = client;
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(Patience);
            var stream = connection.GetStream();
            var request = await PageRequest.ReadAsync(stream, patience.Token).ConfigureAwait(false);
            var answer = AnswerTo(request);
            await stream.WriteAsync(Bytes(answer, request?.Method != "HEAD"), patience.Token).ConfigureAwait(false);
            connection.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Whoever asked has gone away, or took too long.
        }
        finally
        {
            if (!cancellation.IsCancellationRequested) _free.Release();
        }
    }

    private PageAnswer AnswerTo(PageRequest? request)
    {
        if (request is null) return new PageAnswer(400, "Bad Request", "This is no request that a browser sends.\n");
        if (request.Method is not ("GET" or "HEAD"))
            return new PageAnswer(405, "Method Not Allowed", "Pages can be looked at; nothing can be changed here.\n");
        if (_isLocal && !IsLocalName(request.Headers.GetValueOrDefault("host", "")))
            return new PageAnswer(403, "Forbidden", "Ask for this page by the address that jepa watch printed.\n");
        lock (_answer)
        {
            var answer = _answer(request);
            return answer.Tag is { } tag && request.Headers.GetValueOrDefault("if-none-match") == tag ? PageAnswer.Unchanged(tag) : answer;
        }
    }

    private bool IsLocalName(string host) => host == $"127.0.0.1:{Port}" || host == $"localhost:{Port}" || host == $"[::1]:{Port}";

    private static byte[] Bytes(PageAnswer answer, bool withBody)
    {
        var body = Encoding.UTF8.GetBytes(answer.Body);
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {answer.Status} {answer.Reason}\r\n")
            .Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\nContent-Type: {answer.Type}\r\n")
            .Append("Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n")
            .Append($"Content-Security-Policy: {LivePage.Policy}\r\n");
        if (answer.Status == 405) head.Append("Allow: GET, HEAD\r\n");
        if (answer.Tag is { } tag) head.Append($"ETag: {tag}\r\n");
        byte[] bytes = [.. Encoding.Latin1.GetBytes(head.Append("\r\n").ToString())];
        return withBody ? [.. bytes, .. body] : bytes;
    }
}
