using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Proxy.Clients;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tcp;
using Orchestrator.Proxy.Tracing;
using Prometheus;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// A line for each request, or for some. Written by a task of its own: a slow disk costs lines, never requests.
/// </summary>
internal sealed class AccessLog : IAsyncDisposable
{
    /// <summary>Lines that may wait; when they are as many, further ones are dropped and counted.</summary>
    private const int Capacity = 8192;

    private static readonly Counter Dropped = Metrics.CreateCounter(
        "orchestrator_proxy_access_log_dropped_total", "Lines of the access log that were dropped because writing was too slow.");

    private readonly Channel<AccessLogLine> _lines = Channel.CreateBounded<AccessLogLine>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly Stream _output;
    private readonly AccessLogFormat _format;
    private readonly double _sample;
    private readonly Random _random;
    private readonly TimeProvider _time;
    private readonly Task _writing;

    /// <param name="output">Owned.</param>
    /// <param name="random">Draws the requests that are logged.</param>
    public AccessLog(Stream output, ProxyOptions options, Random random, TimeProvider time)
    {
        (_output, _format, _sample, _random, _time) = (output, options.AccessLogFormat, options.AccessLogSample, random, time);
        _writing = Task.Run(WriteAllAsync);
    }

    public void Write(HttpContext context, AppState? app, ReplicaEndpoint? endpoint, int status, TimeSpan took)
    {
        if (IsLeftOut(status))
        {
            return;
        }

        var request = context.Request;
        Write(new AccessLogLine(
            _time.GetUtcNow(),
            context.Connection.RemoteIpAddress is { } remote ? ForwardedChain.TextOf(remote) : null,
            request.Method,
            request.Host.Value,
            context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            request.Protocol,
            status,
            context.Response.ContentLength,
            took,
            app?.Key.ToString(),
            endpoint?.Id,
            request.Headers.Referer,
            request.Headers.UserAgent,
            context.Response.Headers[RequestIds.Header],
            TraceContext.TraceIdOf(request.Headers.TraceParent)));
    }

    /// <summary>A connection that has ended.</summary>
    /// <param name="port">As in the routes.</param>
    public void Write(ConnectionContext connection, AppState app, int port, TcpForwarder.Served served)
    {
        var status = TcpEnds.StatusOf(served.End);
        if (IsLeftOut(status))
        {
            return;
        }

        Write(new AccessLogLine(
            _time.GetUtcNow(),
            (connection.RemoteEndPoint as IPEndPoint)?.Address is { } remote ? ForwardedChain.TextOf(remote) : null,
            ConnectionLine.Protocol,
            Host: null,
            string.Create(CultureInfo.InvariantCulture, $":{port}"),
            ConnectionLine.Protocol,
            status,
            served.Relay?.BytesOut ?? 0,
            _time.GetElapsedTime(served.Started),
            app.Key.ToString(),
            served.Endpoint?.Id,
            Referer: null,
            UserAgent: null,
            RequestId: null,
            TraceId: null,
            new(port, served.Relay?.BytesIn ?? 0, served.End)));
    }

    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing;
        await _output.DisposeAsync();
    }

    /// <summary>Errors are always logged: they are what one looks for.</summary>
    private bool IsLeftOut(int status) => status < StatusCodes.Status400BadRequest && _sample < 1 && _random.NextDouble() >= _sample;

    private void Write(in AccessLogLine line)
    {
        if (!_lines.Writer.TryWrite(line))
        {
            Dropped.Inc();
        }
    }

    private async Task WriteAllAsync()
    {
        var buffer = new ArrayBufferWriter<byte>(64 * 1024);
        await using var json = new Utf8JsonWriter(buffer);
        while (await _lines.Reader.WaitToReadAsync())
        {
            // Whatever waits, up to a buffer full, in one write.
            while (buffer.WrittenCount < 60 * 1024 && _lines.Reader.TryRead(out var line))
            {
                if (_format == AccessLogFormat.Combined)
                {
                    line.WriteCombinedTo(buffer);
                }
                else
                {
                    line.WriteTo(json);
                    json.Flush();
                    json.Reset();
                }

                buffer.Write("\n"u8);
            }

            try
            {
                await _output.WriteAsync(buffer.WrittenMemory);
                await _output.FlushAsync();
            }
            catch (IOException)
            {
                // The disk is full or the reader of the pipe has gone: there is nowhere to say so but the metric.
                Dropped.Inc();
            }

            buffer.ResetWrittenCount();
        }
    }
}
