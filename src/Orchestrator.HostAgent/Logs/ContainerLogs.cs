using System.Globalization;
using System.Runtime.CompilerServices;
using Docker.DotNet;
using Docker.DotNet.Models;
using k8s;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Logs;

/// <summary>Reads what containers wrote, from their engines, with the rights of whoever reads the engine's Secret.</summary>
public sealed class ContainerLogs(IKubernetes kubernetes, TimeProvider time)
{
    private const int BufferSize = 32 * 1024;

    /// <summary>Logs that are read by one connection at a time. By ssh each is one of 32 channels, and each further connection a login.</summary>
    private const int Most = 24;

    private readonly Shared<(string? Uid, string Name, string Endpoint), EngineConnection> _connections = new(Most);

    /// <param name="container">Its id or name.</param>
    /// <exception cref="EngineException">The engine or the container cannot be reached, or no longer; the sentence says why.</exception>
    public async IAsyncEnumerable<LogLine> ReadAsync(
        DockerHost host, string container, LogRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pipeline = new EnginePipeline(host.Metadata.Name, time);
        using var use = await _connections.UseAsync(
            (host.Metadata.Uid, host.Metadata.Name, host.Spec.Endpoint),
            () => new EngineConnector(kubernetes, time).OpenAsync(host, pipeline, CancellationToken.None),
            cancellationToken);
        var connection = use.Value;
        var parameters = new ContainerLogsParameters
        {
            ShowStdout = true,
            ShowStderr = true,
            Timestamps = true,
            Follow = request.Follow,
            Tail = request.Tail?.ToString(CultureInfo.InvariantCulture),
            Since = request.Since is { } since ? Stamp(since) : null,
        };
        using var stream = await pipeline.RunAsync(
            EngineOperation.Logs,
            EngineCalls.Guard(token => connection.Client.Containers.GetContainerLogsAsync(container, parameters, token), connection.Dialer, connection.Certificates),
            cancellationToken);
        var buffer = new byte[BufferSize];
        var (output, error) = (new LineSplitter(isError: false), new LineSplitter(isError: true));
        while (await NextAsync(stream, buffer, connection, cancellationToken) is { EOF: false } piece)
        {
            var splitter = piece.Target == MultiplexedStream.TargetStream.StandardError ? error : output;
            foreach (var line in splitter.Add(buffer.AsMemory(0, piece.Count)))
            {
                yield return line;
            }
        }

        foreach (var line in new[] { output.Rest(), error.Rest() }.OfType<LogLine>())
        {
            yield return line;
        }
    }

    private static Task<MultiplexedStream.ReadResult> NextAsync(
        MultiplexedStream stream, byte[] buffer, EngineConnection connection, CancellationToken cancellationToken) =>
        EngineCalls.Guard(token => stream.ReadOutputAsync(buffer, 0, buffer.Length, token), connection.Dialer, connection.Certificates)(cancellationToken);

    // Seconds since 1970 with a fraction, as the engine's API takes it; one tick more, since it includes the given moment.
    private static string Stamp(DateTimeOffset since)
    {
        var ticks = since.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks + 1;
        return string.Create(CultureInfo.InvariantCulture, $"{ticks / TimeSpan.TicksPerSecond}.{ticks % TimeSpan.TicksPerSecond:0000000}00");
    }
}
