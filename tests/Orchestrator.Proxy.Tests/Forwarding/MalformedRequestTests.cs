using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Forwarding;

/// <summary>The list is Forwarding/testdata/malformed-requests.txt.</summary>
public sealed partial class MalformedRequestTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, string> Requests =>
        [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Forwarding/testdata/malformed-requests.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(" | ", 3))
            .Select(parts => (parts[0], parts[1], parts[2]))];

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Is_refused_and_no_replica_gets_any_of_it_as_a_request(string name, string answer, string bytes)
    {
        await using var replica = new RecordingServer();
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(replica.Id);

        var status = await StatusAsync(proxy.Url, Unescape(bytes));

        Assert.True(answer == "400+" ? status is null or >= 400 : status == 400, $"{name}: {status}");

        // On a connection of its own, and whatever was left of the other one is no part of it.
        Assert.Equal("ok", await proxy.Client.GetStringAsync("/after", Cancellation));
        Assert.StartsWith("GET /after HTTP/1.1\r\n", Assert.Single(replica.Requests), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\\r\\nHost: a.test\\r\\nTransfer-Encoding: Chunked\\r\\n\\r\\n3\\r\\nabc\\r\\n0\\r\\n\\r\\n", "3\\r\\nabc\\r\\n0\\r\\n\\r\\n")]
    [InlineData("POST / HTTP/1.1\\r\\nHost: a.test\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n003;x=y\\r\\nabc\\r\\n000\\r\\nX-Trailer: t\\r\\n\\r\\n", "3\\r\\nabc\\r\\n0\\r\\n\\r\\n")]
    [InlineData("POST / HTTP/1.1\\r\\nHost: a.test\\r\\nContent-Length:   3  \\r\\n\\r\\nabc", "abc")]
    [InlineData("POST / HTTP/1.1\\r\\nHost: a.test\\r\\nContent-Length: +3\\r\\n\\r\\nabc", "abc")]
    [InlineData("POST / HTTP/1.1\\r\\nHost: a.test\\r\\nX\\x01A: a\\r\\nContent-Length: 3\\r\\n\\r\\nabc", "abc")]
    [InlineData("GET / HTTP/1.1\\r\\nHost: a.test\\r\\nContent-Length: 0\\r\\n\\r\\n", "")]
    public async Task What_is_odd_and_clear_is_passed_on_in_plain_words(string bytes, string body)
    {
        await using var replica = new RecordingServer();
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(replica.Id);

        Assert.Equal(200, await StatusAsync(proxy.Url, Unescape(bytes)));

        var request = Assert.Single(replica.Requests);
        Assert.EndsWith("\r\n\r\n" + Encoding.Latin1.GetString(Unescape(body)), request, StringComparison.Ordinal);
        Assert.Equal(1, LengthFields().Count(request));
        Assert.DoesNotContain('\u0001', request);
    }

    [Fact]
    public async Task Pipelined_requests_are_as_many_at_the_replica()
    {
        await using var replica = new RecordingServer();
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(replica.Id);

        using var connection = new TcpClient();
        await connection.ConnectAsync(proxy.Url.Host, proxy.Url.Port, Cancellation);
        await connection.GetStream().WriteAsync(
            Unescape(
                "POST /1 HTTP/1.1\\r\\nHost: a.test\\r\\nContent-Length: 29\\r\\n\\r\\nGET /no HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"
                + "GET /2 HTTP/1.1\\r\\nHost: a.test\\r\\nConnection: close\\r\\n\\r\\n"),
            Cancellation);
        using var answers = new StreamReader(connection.GetStream(), Encoding.Latin1);

        Assert.Equal(2, Answer().Count(await answers.ReadToEndAsync(Cancellation)));
        Assert.Equal(["POST /1 HTTP/1.1", "GET /2 HTTP/1.1"], replica.Requests.Select(request => request.Split("\r\n")[0]));
    }

    /// <returns>The status of the first answer. Null: closed without an answer.</returns>
    private static async Task<int?> StatusAsync(Uri url, byte[] bytes)
    {
        var answer = await RawClient.SendAsync(url, Encoding.Latin1.GetString(bytes), Cancellation);
        return answer.Length == 0 ? null : int.Parse(answer.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture);
    }

    private static byte[] Unescape(string text) => Encoding.Latin1.GetBytes(Escape().Replace(text, static escape => escape.ValueSpan switch
    {
        "\\r" => "\r",
        "\\n" => "\n",
        "\\t" => "\t",
        "\\0" => "\0",
        "\\\\" => "\\",
        _ => ((char)int.Parse(escape.ValueSpan[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString(),
    }));

    [GeneratedRegex(@"\\(?:[rnt0\\]|x[0-9a-f]{2})")]
    private static partial Regex Escape();

    [GeneratedRegex("HTTP/1.1 200 ")]
    private static partial Regex Answer();

    [GeneratedRegex("^(?:Content-Length|Transfer-Encoding): ", RegexOptions.Multiline)]
    private static partial Regex LengthFields();
}
