using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Rest;
using Orchestrator.ApiServer.Selectors;
using Orchestrator.ApiServer.Storage;
using Orchestrator.ApiServer.Tests.Storage;
using Orchestrator.ApiServer.Watching;

namespace Orchestrator.ApiServer.Tests.Watching;

/// <summary>A watch against a store, with a client that reads when the test says so and a clock of the test's own.</summary>
public sealed class WatchPositionTests : IAsyncLifetime
{
    private static readonly ServedResource Maps =
        new(BuiltInResources.With([]).All.Single(resource => resource.Kind == "ConfigMap"));

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(60));
    private readonly ChangeFeed _feed = new();
    private ObjectStore _store = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = new ObjectStore(_folder.Path, _feed.StartAt, _feed.Publish, _time, NullLogger.Instance);
        await _store.CreateAsync("namespaces", "", "default");
    }

    [Fact]
    public async Task A_slow_watcher_falls_back_to_the_log_and_misses_nothing()
    {
        const int Count = 3000;
        var client = new Client { Reads = false };
        var watch = Run(client, _store.Revision);
        await Eventually.True(() => client.Waiting);
        await Task.WhenAll(Enumerable.Range(0, Count).Select(i => _store.CreateAsync("configmaps", "default", $"m{i:d4}")));
        client.ReadOn();
        await Eventually.True(() => client.Events.Count >= Count);
        _time.Advance(TimeSpan.FromHours(1));
        await EndAsync(watch);
        var told = client.Events.Where(line => line.Type == "ADDED").Select(line => line.Revision).ToList();
        Assert.Equal(Count, told.Count);
        Assert.Equal(told.Order().Distinct(), told);
    }

    [Fact]
    public async Task A_watcher_whose_place_is_compacted_is_told_so_and_ended()
    {
        var start = _store.Revision;
        for (var i = 0; i < 5; i++)
        {
            await _store.CreateAsync("configmaps", "default", $"m{i}");
        }

        _time.Advance(TimeSpan.FromMinutes(11));
        await _store.CompactAsync(Cancelled);
        var client = new Client();
        await EndAsync(Run(client, start));
        Assert.Equal(410, Assert.Single(client.Errors).Code);
        Assert.Empty(client.Events);
    }

    [Fact]
    public async Task A_quiet_watcher_gets_bookmarks_that_keep_its_place_fresh()
    {
        var client = new Client();
        var watch = Run(client, _store.Revision);
        await _store.CreateAsync("secrets", "default", "elsewhere");
        var reached = _store.Revision;
        await Eventually.True(() => client.Waiting || client.Flushes > 0);
        await Eventually.See(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(30));
                return client.Events.LastOrDefault(line => line.Type == "BOOKMARK")?.Revision;
            },
            revision => revision == reached);
        _time.Advance(TimeSpan.FromHours(1));
        await EndAsync(watch);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    private Task Run(Client client, long after) => new Watch(_store, _feed, _time).RunAsync(
        new WatchOptions
        {
            Resource = Maps,
            Selector = new ObjectSelector(null, null, LabelSelector.Everything, FieldSelector.Everything),
            After = after,
            AllowBookmarks = true,
            Timeout = TimeSpan.FromMinutes(30),
        },
        client,
        Cancelled);

    /// <summary>A watch that does not end is a failure, not a wait.</summary>
    private static Task EndAsync(Task watch) => watch.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);

    private sealed record Line(string Type, long Revision);

    private sealed class Client : IWatchWriter
    {
        private readonly TaskCompletionSource _reads = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<Line> _events = [];
        private volatile bool _waiting;
        private volatile int _flushes;

        public bool Reads { get; init; } = true;

        public bool Waiting => _waiting;

        public int Flushes => _flushes;

        public IReadOnlyList<Line> Events
        {
            get
            {
                lock (_events)
                {
                    return [.. _events];
                }
            }
        }

        public List<Status> Errors { get; } = [];

        public void ReadOn() => _reads.SetResult();

        public void Write(string type, byte[] json, Func<JsonObject> parsed) => Add(type, JsonNode.Parse(json)!);

        public void WriteBookmark(JsonObject bookmark) => Add("BOOKMARK", bookmark);

        public void WriteError(Status status) => Errors.Add(status);

        public async Task FlushAsync(CancellationToken cancellationToken)
        {
            _flushes++;
            if (!Reads)
            {
                _waiting = true;
                await _reads.Task;
            }
        }

        private void Add(string type, JsonNode obj)
        {
            lock (_events)
            {
                _events.Add(new Line(
                    type,
                    long.Parse(obj["metadata"]!["resourceVersion"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture)));
            }
        }
    }
}
