using System.Net.Sockets;
using System.Text.Json.Nodes;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>A service that is no website, reached by a port of its own.</summary>
public sealed class TcpTests(SharedInstallation shared) : IClassFixture<SharedInstallation>
{
    private readonly int _port = FreePort.Next();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_update_refuses_no_new_connection_and_those_that_are_open_go_on_until_their_time_is_over()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Echo(installation.Lab.Image("web:v1")));
        await installation.SeeReady("echo", 3);
        await Eventually.See(() => VersionAsync(Cancellation), version => version == "v1");
        using var open = await ConnectAsync(Cancellation);
        Assert.StartsWith("v1 ", await open.ReadAsync(Cancellation), StringComparison.Ordinal);

        await using var visitor = new Visitor("a connection", VersionAsync, people: 4, TimeSpan.FromMilliseconds(20));
        await installation.PatchAsync("echo", $$"""{"image": "{{installation.Lab.Image("web:v2")}}"}""");
        await Eventually.See(
            async () => (await installation.ReplicasAsync("echo")).Where(replica => replica["metadata"]!["deletionTimestamp"] is null).ToList(),
            staying => staying.Count == 3 && staying.TrueForAll(IsNewAndReady),
            TimeSpan.FromSeconds(60));

        // Its replica is one of those that go: it is waited for.
        Assert.Equal("still here", await open.EchoAsync("still here", Cancellation));
        await Eventually.See(() => VersionAsync(Cancellation), version => version == "v2");

        // And it goes when its time is over, not later.
        Assert.Null(await open.ReadAsync(Cancellation));
        await installation.SeeComplete("echo");
        await visitor.NoneFailedAsync();
        Assert.Equal(new HashSet<string> { "v1", "v2" }, visitor.Versions.ToHashSet());

        var top = (await installation.OrcAsync("top", "apps", "echo", "-o", "yaml")).OrThrow().Output;
        Assert.Contains("requestsPerSecond:", top, StringComparison.Ordinal);
        (await installation.OrcAsync("delete", "webapp", "echo")).OrThrow();
    }

    private static bool IsNewAndReady(JsonNode replica) =>
        replica["spec"]!["template"]!["image"]!.GetValue<string>().EndsWith(":v2", StringComparison.Ordinal) && replica["status"]?["ready"]?.GetValue<bool>() == true;

    /// <summary>nc's backlog is the number of its l; with more than one it serves connection after connection.</summary>
    private static readonly string Backlog = "-" + new string('l', 64);

    private string Echo(string image) => $$"""
        apiVersion: orchestrator.dev/v1
        kind: WebApp
        metadata:
          name: echo
          namespace: default
        spec:
          image: {{image}}
          command: [/bin/sh, -c]
          args:
            - |
              trap exit TERM
              nc {{Backlog}} -p 8080 -e /bin/sh -c 'echo "$VERSION $ORC_REPLICA"; exec cat' &
              wait
          replicas: 3
          terminationGracePeriodSeconds: 5
          drainTimeoutSeconds: 15
          readinessProbe:
            tcpSocket: {}
            periodSeconds: 1
          route:
            protocol: tcp
            port: {{_port}}
        """;

    /// <summary>A whole visit: greeting, a line and its echo, and a good end.</summary>
    private async Task<string> VersionAsync(CancellationToken cancellationToken)
    {
        using var connection = await ConnectAsync(cancellationToken);
        var greeting = await connection.ReadAsync(cancellationToken) ?? throw new IOException("ended without a greeting");
        if (await connection.EchoAsync("hello", cancellationToken) is not "hello" and var answer)
        {
            throw new IOException($"the echo of hello was {answer}");
        }

        return greeting.Split(' ')[0];
    }

    private async Task<Connection> ConnectAsync(CancellationToken cancellationToken)
    {
        var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _port, cancellationToken);
        return new(client);
    }

    private sealed class Connection(TcpClient client) : IDisposable
    {
        private readonly StreamReader _reader = new(client.GetStream());
        private readonly StreamWriter _writer = new(client.GetStream()) { AutoFlush = true, NewLine = "\n" };

        /// <returns>A line; null: it has ended, or was broken off.</returns>
        public async Task<string?> ReadAsync(CancellationToken cancellationToken)
        {
            try
            {
                return await _reader.ReadLineAsync(cancellationToken);
            }
            catch (IOException)
            {
                return null;
            }
        }

        public async Task<string?> EchoAsync(string line, CancellationToken cancellationToken)
        {
            await _writer.WriteLineAsync(line.AsMemory(), cancellationToken);
            return await ReadAsync(cancellationToken);
        }

        public void Dispose()
        {
            _reader.Dispose();
            client.Dispose();
        }
    }
}
