using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.SimulatedEngines;

namespace Orchestrator.HostAgent.Tests.Engines.Contract;

/// <summary>What a real engine does as well, but when cannot be told from outside: calls on a container that is being removed.</summary>
public sealed class SimulatedRemovalTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new();
    private EngineServer? _server;
    private HttpClient? _http;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var none = EngineLatencies.Measured.Scaled(0);
        var options = new SimulationOptions(_folder["engines"], 1, ["registry.invalid/web:v1"]) { Latencies = none with { Remove = TimeSpan.FromSeconds(1) } };
        _server = await EngineServer.StartAsync(options, _time);
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(options.SocketOf(1)), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://engine/v1.41/"),
        };
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task One_removal_of_several_is_carried_out_and_nothing_starts_meanwhile()
    {
        await _http!.PostAsync("images/create?fromImage=registry.invalid%2Fweb&tag=v1", null, Cancelled);
        await _http.PostAsJsonAsync("containers/create?name=web", new JsonObject { ["Image"] = "registry.invalid/web:v1" }, Cancelled);
        await _http.PostAsync("containers/web/start", null, Cancelled);

        // All but one are answered while the engine's clock stands still.
        var removals = Enumerable.Range(0, 8).Select(_ => _http.DeleteAsync("containers/web?force=1", Cancelled)).ToList();
        await Eventually.True(() => Task.FromResult(removals.Count(removal => removal.IsCompleted) >= 7));
        Assert.Equal(HttpStatusCode.Conflict, (await _http.PostAsync("containers/web/start", null, Cancelled)).StatusCode);
        _time.Advance(TimeSpan.FromSeconds(1));

        var answers = await Task.WhenAll(removals);
        Assert.Equal([HttpStatusCode.NoContent, .. Enumerable.Repeat(HttpStatusCode.Conflict, 7)], answers.Select(answer => answer.StatusCode).Order());
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync("containers/web/json", Cancelled)).StatusCode);
    }
}
