using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Orchestrator.HostAgent.Probing;

namespace Orchestrator.HostAgent.Tests.Probing;

public sealed class ProberTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly ProbeScheduler _scheduler = new(TimeProvider.System);
    private readonly HttpProber _http;

    public ProberTests() => _http = new HttpProber(_scheduler);

    public static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _scheduler.Dispose();
    }

    [Theory]
    [InlineData("200 OK", ProbeResult.Passed)]
    [InlineData("204 No Content", ProbeResult.Passed)]
    [InlineData("302 Found\r\nLocation: http://192.0.2.1/", ProbeResult.Passed)]
    [InlineData("399 Odd", ProbeResult.Passed)]
    [InlineData("400 Bad Request", ProbeResult.Failed)]
    [InlineData("500 Internal Server Error", ProbeResult.Failed)]
    public async Task An_HTTP_probe_goes_by_the_status(string status, ProbeResult result)
    {
        await using var server = new LoopbackServer(async stream => await LoopbackServer.AnswerAsync(stream, status));
        Assert.Equal(result, (await Get(server, new ProbeHandler.Http(false, "/", null, []))).Result);
    }

    [Fact]
    public async Task An_HTTP_probe_sends_path_host_and_headers_on_a_connection_of_its_own()
    {
        var requests = new List<string>();
        await using var server = new LoopbackServer(async stream =>
        {
            var request = await LoopbackServer.ReadRequestAsync(stream);
            lock (requests)
            {
                requests.Add(request);
            }

            await LoopbackServer.AnswerAsync(stream, "200 OK");
        });
        var probe = new ProbeHandler.Http(false, "/health?full=1", "shop.example.org", [("X-Probe", "a"), ("X-Probe", "b"), ("User-Agent", "mine")]);
        await Get(server, probe);
        await Get(server, probe);

        Assert.Equal(2, requests.Count);
        Assert.StartsWith("GET /health?full=1 HTTP/1.1\r\n", requests[0], StringComparison.Ordinal);
        Assert.Contains("Host: shop.example.org\r\n", requests[0], StringComparison.Ordinal);
        Assert.Contains("X-Probe: a, b\r\n", requests[0], StringComparison.Ordinal);
        Assert.Contains("User-Agent: mine\r\n", requests[0], StringComparison.Ordinal);
        Assert.Contains("Connection: close\r\n", requests[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_HTTP_probe_sends_headers_too_that_mostly_come_with_a_body()
    {
        var sent = new TaskCompletionSource<string>();
        await using var server = new LoopbackServer(async stream =>
        {
            sent.SetResult(await LoopbackServer.ReadRequestAsync(stream));
            await LoopbackServer.AnswerAsync(stream, "200 OK");
        });

        var outcome = await Get(server, new ProbeHandler.Http(false, "/", null, [("Content-Type", "application/json"), ("X-Probe", "a")]));

        Assert.Equal(ProbeOutcome.Passed, outcome);
        Assert.Contains("Content-Type: application/json\r\n", await sent.Task, StringComparison.Ordinal);
        Assert.Contains("X-Probe: a\r\n", await sent.Task, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_HTTPS_probe_does_not_ask_who_it_is()
    {
        using var key = ECDsa.Create();
        var request = new CertificateRequest("CN=someone-else", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1));
        await using var server = new LoopbackServer(async stream =>
        {
            await using var secure = new SslStream(stream);
            await secure.AuthenticateAsServerAsync(certificate);
            await LoopbackServer.ReadRequestAsync(secure);
            await LoopbackServer.AnswerAsync(secure, "200 OK");
        });
        Assert.Equal(ProbeResult.Passed, (await Get(server, new ProbeHandler.Http(true, "/", null, []))).Result);
    }

    [Fact]
    public async Task An_HTTP_probe_that_is_not_answered_in_time_fails_and_says_so()
    {
        await using var server = new LoopbackServer(stream => LoopbackServer.WaitForCloseAsync(stream));
        var outcome = await _http.ProbeAsync(
            new ProbeHandler.Http(false, "/slow", null, []), "127.0.0.1", server.Port, TimeSpan.FromMilliseconds(100), Cancelled);

        Assert.True(outcome is { Result: ProbeResult.Failed, IsLate: true });
        Assert.Contains("no answer to GET /slow within 0.1 s", outcome.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_listens_fails_both()
    {
        var port = FreePort.Next();
        var tcp = await TcpProber.ProbeAsync("127.0.0.1", port, Timeout, _scheduler, Cancelled);
        var http = await _http.ProbeAsync(new ProbeHandler.Http(false, "/", null, []), "127.0.0.1", port, Timeout, Cancelled);

        Assert.Equal((ProbeResult.Failed, ProbeResult.Failed), (tcp.Result, http.Result));
        Assert.Contains("refused", tcp.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("refused", http.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_TCP_probe_passes_when_the_server_waits_for_a_request()
    {
        await using var server = new LoopbackServer(stream => LoopbackServer.WaitForCloseAsync(stream));
        Assert.Equal(ProbeResult.Passed, (await TcpProber.ProbeAsync("127.0.0.1", server.Port, Timeout, _scheduler, Cancelled)).Result);
    }

    [Fact]
    public async Task A_TCP_probe_is_not_taken_in_by_docker_proxy_which_accepts_and_closes()
    {
        await using var server = new LoopbackServer(_ => Task.CompletedTask);
        var outcome = await TcpProber.ProbeAsync("127.0.0.1", server.Port, Timeout, _scheduler, Cancelled);

        Assert.Equal(ProbeResult.Failed, outcome.Result);
        Assert.Contains("nothing listens in the container", outcome.Message, StringComparison.Ordinal);
    }

    private Task<ProbeOutcome> Get(LoopbackServer server, ProbeHandler.Http probe) =>
        _http.ProbeAsync(probe, "127.0.0.1", server.Port, Timeout, Cancelled);
}

/// <summary>A TCP server on loopback that does one thing with each connection.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _accepting;

    public LoopbackServer(Func<Stream, Task> serve)
    {
        _listener.Start();
        _accepting = AcceptAsync(serve);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public static async Task<string> ReadRequestAsync(Stream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer);
            if (read == 0)
            {
                break;
            }

            text.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }

        return text.ToString();
    }

    public static async Task AnswerAsync(Stream stream, string status) =>
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));

    public static async Task WaitForCloseAsync(Stream stream)
    {
        try
        {
            while (await stream.ReadAsync(new byte[4096]) > 0)
            {
            }
        }
        catch (IOException)
        {
            // Closed by reset: closed all the same.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
    }

    private async Task AcceptAsync(Func<Stream, Task> serve)
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(), serve));
            }
        }
        catch (Exception stopped) when (stopped is SocketException or InvalidOperationException)
        {
            await Task.WhenAll(serving);
        }
    }

    private static async Task ServeAsync(TcpClient client, Func<Stream, Task> serve)
    {
        using (client)
        {
            await serve(client.GetStream());
        }
    }
}
