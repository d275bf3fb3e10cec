using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Orchestrator.Benchmarks.Scaling;

/// <summary>What the simulated engines and their sockets take by themselves: create and start by a bare client, nothing else.</summary>
internal static class ScaleFloor
{
    public const int MostEngines = 100;

    /// <summary>For each host; as many as the agent starts at a time.</summary>
    private const int AtATime = 4;

    /// <returns>Containers started a second.</returns>
    public static async Task<double> MeasureAsync(int engines, int containersAnEngine, double latencyFactor, CancellationToken cancellationToken)
    {
        await using var farm = await EngineFarm.StartAsync(engines, containersAnEngine, latencyFactor, cancellationToken);
        var clients = Enumerable.Range(0, engines).Select(engine => Client(farm.SocketOf(engine))).ToList();
        try
        {
            var image = EngineFarm.Image.Split(':');
            await Task.WhenAll(clients.Select(client => SendAsync(
                client, $"images/create?fromImage={Uri.EscapeDataString(image[0])}&tag={image[1]}", null, cancellationToken)));
            var started = Stopwatch.GetTimestamp();
            await Task.WhenAll(clients.Select((client, engine) => Parallel.ForEachAsync(
                Enumerable.Range(0, containersAnEngine),
                new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken },
                async (container, token) =>
                {
                    await SendAsync(client, $"containers/create?name=floor-{container}", Body(engine, container), token);
                    await SendAsync(client, $"containers/floor-{container}/start", null, token);
                })));
            return engines * containersAnEngine / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    private static HttpClient Client(string path) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://engine/v1.41/"),
    };

    private static JsonObject Body(int engine, int container) => new()
    {
        ["Image"] = EngineFarm.Image,
        ["HostConfig"] = new JsonObject
        {
            ["PortBindings"] = new JsonObject
            {
                ["80/tcp"] = new JsonArray(new JsonObject
                {
                    ["HostIp"] = ScaleHosts.AddressOf(engine),
                    ["HostPort"] = (20_000 + container).ToString(CultureInfo.InvariantCulture),
                }),
            },
        },
    };

    private static async Task SendAsync(HttpClient client, string path, JsonObject? body, CancellationToken cancellationToken)
    {
        using var answer = await client.PostAsJsonAsync(path, body, cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{path}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
        }
    }
}
