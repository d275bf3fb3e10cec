using System.Collections.Concurrent;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Forwarding;

public sealed class ChangeUnderLoadTests
{
    private const int Clients = 16;

    [Fact]
    public async Task Replicas_that_come_and_go_in_order_lose_no_request_though_their_servers_stop()
    {
        await using var proxy = await TestProxy.StartAsync();
        var servers = new List<ReplicaServer> { await ReplicaServer.StartAsync("0"), await ReplicaServer.StartAsync("1") };
        proxy.Serve([.. servers.Select(server => server.Id)]);
        await using var load = new Load(proxy.Url);

        // As a rollout does it: a new one comes, an old one leaves the table, is drained, and then its server ends.
        for (var i = 2; i < 12; i++)
        {
            servers.Add(await ReplicaServer.StartAsync($"{i}"));
            proxy.Serve([.. servers.Select(server => server.Id)]);
            var leaving = servers[0];
            servers.RemoveAt(0);
            proxy.Serve([.. servers.Select(server => server.Id)]);
            await Eventually.True(() => proxy.Routes.IsDrained(leaving.Name));
            await leaving.StopAsync();
            await leaving.DisposeAsync();
            await load.ServedAsync(50);
        }

        var (served, failures) = await load.StopAsync();
        Assert.Empty(failures);
        Assert.True(served > 500, $"only {served} requests");
        Assert.Equal(0, proxy.App.Metrics.Retries.Value);
        foreach (var server in servers)
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_replica_that_dies_without_a_word_loses_no_get()
    {
        await using var proxy = await TestProxy.StartAsync();
        await using var stays = await ReplicaServer.StartAsync("stays");
        await using var dies = new RawReplicaServer("dies", _ => RawReplicaServer.Ok);
        proxy.Serve(stays.Id, dies.Id);
        await using var load = new Load(proxy.Url);
        await load.ServedAsync(100);

        dies.DropConnections();
        await dies.DisposeAsync();
        await load.ServedAsync(300);

        var (_, failures) = await load.StopAsync();
        Assert.Empty(failures);
        Assert.True(proxy.App.Endpoints.Single(endpoint => endpoint.Id == dies.Id).IsSuspect);
    }

    [Fact]
    public async Task Weights_that_change_and_a_rollback_lose_no_request()
    {
        await using var proxy = await TestProxy.StartAsync();
        await using var stable = await ReplicaServer.StartAsync("stable");
        await using var canary = await ReplicaServer.StartAsync("canary");
        EndpointId[] both = [stable.Of("r1"), canary.Of("r2")];
        proxy.Serve(Canary(0), both);
        await using var load = new Load(proxy.Url);

        foreach (var weight in new[] { 10, 50, 100, 5, 95 })
        {
            proxy.Serve(Canary(weight), both);
            await load.ServedAsync(100);
        }

        // Back: nothing more for the canary, then it is drained and its server ends.
        proxy.Serve(Canary(0), both);
        proxy.Serve(Canary(0), stable.Of("r1"));
        await Eventually.True(() => proxy.Routes.IsDrained(canary.Name));
        var served = canary.Requests;
        await canary.StopAsync();
        await load.ServedAsync(100);

        Assert.Empty((await load.StopAsync()).Failures);
        Assert.Equal(0, proxy.App.Metrics.Retries.Value);
        Assert.Equal(served, canary.Requests);
        Assert.True(served > 50, $"only {served} of the canary");
    }

    [Theory]
    [InlineData("r2", 50)]
    [InlineData("r2", 100)]
    [InlineData("r1", 50)]
    [InlineData("r1", 0)]
    public async Task A_side_that_dies_without_a_word_loses_no_get(string dying, int weight)
    {
        await using var proxy = await TestProxy.StartAsync();
        await using var stays = await ReplicaServer.StartAsync("stays");
        await using var dies = new RawReplicaServer("dies", _ => RawReplicaServer.Ok);
        proxy.Serve(Canary(weight), stays.Of(dying == "r1" ? "r2" : "r1"), dies.Id with { Revision = dying });
        await using var load = new Load(proxy.Url);
        await load.ServedAsync(100);

        dies.DropConnections();
        await dies.DisposeAsync();
        await load.ServedAsync(300);
        Assert.Empty((await load.StopAsync()).Failures);

        Assert.True(proxy.App.Endpoints[1].IsSuspect);
        Assert.True(stays.Requests > 250, $"only {stays.Requests}");
    }

    private static Traffic Canary(int weight) => new(new TrafficSplit("r1", weight), Canary: null);

    /// <summary>Clients that ask one after the other, on connections they keep, until told to stop.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly HttpClient _client;
        private readonly ConcurrentQueue<string> _failures = [];
        private readonly Task _running;
        private int _served;

        public Load(Uri url)
        {
            _client = TestProxy.NewClient(url);
            _running = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(RunAsync)));
        }

        public async Task ServedAsync(int more)
        {
            var goal = Volatile.Read(ref _served) + more;
            await Eventually.True(() => Volatile.Read(ref _served) >= goal);
        }

        public async Task<(int Served, IReadOnlyCollection<string> Failures)> StopAsync()
        {
            await _stop.CancelAsync();
            await _running;
            return (_served, _failures);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _client.Dispose();
            _stop.Dispose();
        }

        private async Task RunAsync()
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    using var response = await _client.GetAsync("/", CancellationToken.None);
                    var body = await response.Content.ReadAsStringAsync(CancellationToken.None);
                    if (!response.IsSuccessStatusCode)
                    {
                        _failures.Enqueue($"{response.StatusCode}: {body}");
                    }
                }
                catch (HttpRequestException failure)
                {
                    _failures.Enqueue(failure.ToString());
                }

                // A bounded load: it is about what is lost, not about how much passes.
                Interlocked.Increment(ref _served);
                await Pace.PassAsync(TimeSpan.FromMilliseconds(5));
            }
        }
    }
}
