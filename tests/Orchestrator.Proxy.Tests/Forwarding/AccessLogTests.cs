using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tcp;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Tests.Forwarding;

public sealed class AccessLogTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 9, 18, 5, 4, TimeSpan.Zero));

    [Fact]
    public async Task A_line_of_JSON_has_the_ids_by_which_other_logs_are_searched()
    {
        var line = Assert.Single(await LogAsync(new ProxyOptions { StateFolder = "" }, 200));

        var json = JsonSerializer.Deserialize<JsonElement>(line);
        Assert.Equal("203.0.113.7", json.GetProperty("client").GetString());
        Assert.Equal("abc-1", json.GetProperty("requestId").GetString());
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", json.GetProperty("traceId").GetString());
    }

    [Fact]
    public async Task The_combined_format_is_one_line_whatever_is_sent()
    {
        var line = Assert.Single(await LogAsync(new ProxyOptions { StateFolder = "", AccessLogFormat = AccessLogFormat.Combined }, 404));

        Assert.Equal(
            """203.0.113.7 - - [09/Nov/2026:18:05:04 +0000] "GET /a?b=\x22c HTTP/1.1" 404 12 "-" "curl\x22 \x5C\x0A203.0.113.8 - -" """.TrimEnd(), line);
    }

    [Fact]
    public async Task Of_a_sample_errors_are_all_there_and_the_rest_by_their_share()
    {
        int[] statuses = [.. Enumerable.Repeat(200, 10_000), .. Enumerable.Repeat(499, 10), .. Enumerable.Repeat(503, 10)];

        var lines = await LogAsync(new ProxyOptions { StateFolder = "", AccessLogSample = 0.1 }, statuses);

        Assert.Equal(20, lines.Count(line => !line.Contains("\"status\":200", StringComparison.Ordinal)));
        Assert.InRange(lines.Length - 20, 800, 1200);
    }

    [Fact]
    public async Task Of_no_sample_there_are_errors_alone() =>
        Assert.Single(await LogAsync(new ProxyOptions { StateFolder = "", AccessLogSample = 0 }, 200, 302, 500));

    [Theory]
    [InlineData(AccessLogFormat.Combined, """203.0.113.7 - - [09/Nov/2026:18:05:06 +0000] "TCP :6379 TCP" 502 0 "-" "-" """)]
    [InlineData(AccessLogFormat.Json, """{"time":"2026-11-09T18:05:06+00:00","client":"203.0.113.7","protocol":"TCP","port":6379,"end":"ConnectFailed","bytesIn":0,"status":502,"bytes":0,"seconds":2,"app":"shop/redis"} """)]
    public async Task A_connection_that_failed_has_a_line_whatever_the_sample(AccessLogFormat format, string expected)
    {
        using var output = new MemoryStream();
        using var app = new AppState(new ObjectKey("shop", "redis"), new SharedRandom(1), _time);
        var served = new TcpForwarder.Served(_time.GetTimestamp()) { End = TcpEnd.ConnectFailed };
        var connection = new DefaultConnectionContext { RemoteEndPoint = new IPEndPoint(IPAddress.Parse("::ffff:203.0.113.7"), 4711) };
        await using (var log = new AccessLog(output, new ProxyOptions { StateFolder = "", AccessLogFormat = format, AccessLogSample = 0 }, new SharedRandom(1), _time))
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            log.Write(connection, app, 6379, served);
        }

        Assert.Equal(expected.TrimEnd() + "\n", Encoding.UTF8.GetString(output.ToArray()));
    }

    private async Task<string[]> LogAsync(ProxyOptions options, params int[] statuses)
    {
        using var output = new MemoryStream();
        await using (var log = new AccessLog(output, options, new SharedRandom(1), _time))
        {
            foreach (var status in statuses)
            {
                log.Write(Request(), null, null, status, TimeSpan.FromMilliseconds(5));
            }
        }

        return Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static DefaultHttpContext Request()
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse("::ffff:203.0.113.7");
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = "/a?b=\"c";
        (context.Request.Method, context.Request.Protocol) = ("GET", "HTTP/1.1");
        context.Request.Headers.UserAgent = "curl\" \\\n203.0.113.8 - -";
        context.Request.Headers.TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        context.Response.Headers["X-Request-Id"] = "abc-1";
        context.Response.ContentLength = 12;
        return context;
    }
}
