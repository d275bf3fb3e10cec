using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Proxy.Routing;
using Prometheus;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// One JSON object a line for each request. Written by a task of its own: a slow disk costs lines, never requests.
/// </summary>
internal sealed class AccessLog : IAsyncDisposable
{
    /// <summary>Lines that may wait; when they are as many, further ones are dropped and counted.</summary>
    private const int Capacity = 8192;

    private static readonly Counter Dropped = Metrics.CreateCounter(
        "orchestrator_proxy_access_log_dropped_total", "Lines of the access log that were dropped because writing was too slow.");

    private readonly Channel<Line> _lines = Channel.CreateBounded<Line>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly Stream _output;
    private readonly TimeProvider _time;
    private readonly Task _writing;

    /// <param name="output">Owned.</param>
    public AccessLog(Stream output, TimeProvider time)
    {
        (_output, _time) = (output, time);
        _writing = Task.Run(WriteAllAsync);
    }

    public void Write(HttpContext context, AppState? app, ReplicaEndpoint? endpoint, int status, TimeSpan took)
    {
        var request = context.Request;
        var line = new Line(
            _time.GetUtcNow(),
            context.Connection.RemoteIpAddress is { } remote ? (remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote).ToString() : null,
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
            request.Headers.UserAgent);
        if (!_lines.Writer.TryWrite(line))
        {
            Dropped.Inc();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing;
        await _output.DisposeAsync();
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
                line.WriteTo(json);
                json.Flush();
                json.Reset();
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

    private readonly record struct Line(
        DateTimeOffset Time,
        string? Client,
        string Method,
        string? Host,
        string Target,
        string Protocol,
        int Status,
        long? Bytes,
        TimeSpan Took,
        string? App,
        EndpointId? Replica,
        string? Referer,
        string? UserAgent)
    {
        public void WriteTo(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            json.WriteString("time", Time);
            json.WriteString("client", Client);
            json.WriteString("method", Method);
            json.WriteString("host", Host);
            json.WriteString("target", Target);
            json.WriteString("protocol", Protocol);
            json.WriteNumber("status", Status);
            if (Bytes is { } bytes)
            {
                json.WriteNumber("bytes", bytes);
            }

            json.WriteNumber("seconds", Math.Round(Took.TotalSeconds, 6));
            if (App is not null)
            {
                json.WriteString("app", App);
            }

            if (Replica is { } replica)
            {
                json.WriteString("replica", replica.Uid);
                json.WriteString("endpoint", $"{replica.Address}:{replica.Port}");
            }

            WriteIfAny(json, "referer", Referer);
            WriteIfAny(json, "userAgent", UserAgent);
            json.WriteEndObject();
        }

        private static void WriteIfAny(Utf8JsonWriter json, string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                json.WriteString(name, value);
            }
        }
    }
}
