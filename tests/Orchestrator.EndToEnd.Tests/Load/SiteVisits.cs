using System.Net.WebSockets;
using System.Text;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests.Load;

/// <summary>
/// The kinds of visits to the sample image <c>site</c>. Each sees that all of the answer came and that it is the right one, and gives
/// the version that it came from; anything else is an exception.
/// </summary>
internal sealed class SiteVisits(HttpClient http, string app)
{
    private const int UploadChunk = 128 * 1024;
    private const int UploadChunks = 16;

    private static readonly TimeSpan MessagePeriod = TimeSpan.FromMilliseconds(200);

    private int _visits;

    public Task<string> LookAsync(CancellationToken cancellationToken) =>
        ReadAsync(Request(HttpMethod.Get, "/"), IsPage, cancellationToken);

    public Task<string> LookOnNewConnectionAsync(CancellationToken cancellationToken)
    {
        var request = Request(HttpMethod.Get, "/");
        request.Headers.ConnectionClose = true;
        return ReadAsync(request, IsPage, cancellationToken);
    }

    public Task<string> PostAsync(CancellationToken cancellationToken)
    {
        var said = new string('x', 1000 + Next(1000));
        return ReadAsync(Request(HttpMethod.Post, "/echo", new StringContent(said)), body => body == said, cancellationToken);
    }

    /// <summary>2 MiB in 1 to 2 s; every other one of a length that the server is not told before.</summary>
    public Task<string> UploadAsync(CancellationToken cancellationToken)
    {
        var number = Next(1000);
        var chunk = new byte[UploadChunk];
        Array.Fill(chunk, (byte)number);
        var upload = new SlowContent(chunk, UploadChunks, TimeSpan.FromMilliseconds(60 + (number % 60)), tellsLength: number % 2 == 0);
        return ReadAsync(
            Request(HttpMethod.Put, "/upload", upload),
            body => body == $"length: {UploadChunks * UploadChunk}\nsha256: {upload.Sha256}\n",
            cancellationToken);
    }

    public Task<string> WaitAsync(CancellationToken cancellationToken) =>
        ReadAsync(Request(HttpMethod.Get, $"/slow?ms={NextDuration()}"), IsPage, cancellationToken);

    /// <summary>Server-sent events: all of them in their order, and the last one.</summary>
    public async Task<string> FollowAsync(CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, $"/events?ms={NextDuration()}");
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        answer.EnsureSuccessStatusCode();
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
        var ended = false;
        for (var events = 0; await lines.ReadLineAsync(cancellationToken) is { } line;)
        {
            if (line == "event: end")
            {
                ended = true;
            }
            else if (line.Length > 0 && line != $"data: {events++}")
            {
                throw new InvalidDataException($"instead of event {events - 1} came {line}");
            }
        }

        return ended ? VersionOf(answer) : throw new InvalidDataException("the stream of events stopped before its end");
    }

    /// <summary>A conversation over a WebSocket that both sides close in order.</summary>
    public async Task<string> TalkAsync(CancellationToken cancellationToken)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Host", Manifests.HostName(app));
        await socket.ConnectAsync(new UriBuilder(http.BaseAddress!) { Scheme = "ws", Path = "/socket" }.Uri, cancellationToken);
        var messages = NextDuration() / (int)MessagePeriod.TotalMilliseconds;
        for (var message = 0; message < messages; message++)
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes($"message {message}"), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
            if (await HearAsync(socket, cancellationToken) is var heard && heard != $"message {message}")
            {
                throw new InvalidDataException($"instead of message {message} came {heard}");
            }

            await Pace.PassAsync(MessagePeriod, cancellationToken);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
        return socket.HttpResponseHeaders!["X-Version"].Single();
    }

    private static async Task<string> HearAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[256];
        var length = 0;
        ValueWebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            length += part.Count;
        }
        while (!part.EndOfMessage);
        return part.MessageType == WebSocketMessageType.Text
            ? Encoding.UTF8.GetString(buffer, 0, length)
            : $"{part.MessageType} {socket.CloseStatus}";
    }

    private async Task<string> ReadAsync(HttpRequestMessage request, Func<string, bool> isRight, CancellationToken cancellationToken)
    {
        using (request)
        {
            using var answer = await http.SendAsync(request, cancellationToken);
            var body = await answer.Content.ReadAsStringAsync(cancellationToken);
            return !answer.IsSuccessStatusCode ? throw new HttpRequestException($"{(int)answer.StatusCode}: {body}")
                : !isRight(body) ? throw new InvalidDataException($"a wrong answer from {VersionOf(answer)}: {body}")
                : VersionOf(answer);
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string target, HttpContent? content = null) =>
        new(method, target) { Headers = { Host = Manifests.HostName(app) }, Content = content };

    private static bool IsPage(string body) => body.StartsWith("version: ", StringComparison.Ordinal);

    private static string VersionOf(HttpResponseMessage answer) => answer.Headers.GetValues("X-Version").Single();

    /// <summary>Milliseconds: 1 to 5 seconds, evenly.</summary>
    private int NextDuration() => 1000 + Next(4001);

    /// <summary>Another number below <paramref name="limit"/> at each visit; a random one would be no better.</summary>
    private int Next(int limit) => (int)((uint)Interlocked.Increment(ref _visits) * 7919 % (uint)limit);
}
