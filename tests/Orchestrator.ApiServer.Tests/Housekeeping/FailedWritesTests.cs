using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.ApiServer.Housekeeping;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Storage;
using Orchestrator.ApiServer.Watching;

namespace Orchestrator.ApiServer.Tests.Housekeeping;

/// <summary>Housekeeping whose writes fail, because somebody is faster or an object is no longer valid: nothing is taken as done.</summary>
public sealed class FailedWritesTests : IAsyncLifetime
{
    private const string Child = "configmaps";
    private static readonly StorageKey ChildKey = new(Child, "space", "child");

    private readonly TemporaryFolder _folder = new();
    private readonly Rival _rival = new();
    private readonly ChangeFeed _feed = new();
    private readonly ServedResources _resources = new(BuiltInResources.With([]));
    private readonly CancellationTokenSource _stop = new();
    private ObjectStore _store = null!;
    private ObjectWriter _writer = null!;
    private Task _running = Task.CompletedTask;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = new ObjectStore(_folder.Path, _feed.StartAt, _feed.Publish, TimeProvider.System, NullLogger.Instance);
        _writer = new ObjectWriter(_store, _rival);
        await CreateAsync(_resources.Namespaces, "", "space", []);
    }

    [Fact]
    public async Task An_orphan_whose_deletion_came_too_late_is_deleted_all_the_same()
    {
        await CreateAsync(_resources.Find(Child)!, "space", "child", Owner("gone"));
        _rival.Strike = () =>
        {
            _rival.Strike = null;
            Touch(ChildKey);
        };
        Start();
        await Eventually.True(() => _store.Get(ChildKey) is null);
        Assert.Null(_rival.Strike);
    }

    [Fact]
    public async Task A_namespace_stays_while_something_in_it_cannot_be_deleted()
    {
        await CreateAsync(_resources.Find(Child)!, "space", "child", []);
        _rival.Strike = () => Touch(ChildKey);
        Start();
        var space = _resources.Namespaces.Key("", "space");
        var marked = await _writer.DeleteAsync(_resources.Namespaces, space, new DeleteOptions(), Cancelled);
        Assert.False(marked.Failed);
        await Eventually.See(
            () => System.Text.Encoding.UTF8.GetString(_store.Get(space)!.Json),
            seen => seen.Contains("configmaps has 1 resource instances", StringComparison.Ordinal));

        _rival.Strike = null;
        await Eventually.True(() => _store.Get(space) is null);
        Assert.Null(_store.Get(ChildKey));
    }

    [Fact]
    public async Task An_owner_stays_until_its_orphans_have_forgotten_it()
    {
        var owner = await CreateAsync(_resources.Find("secrets")!, "space", "owner", []);
        var uid = Metadata.Of(JsonText.Parse(owner.Json)).Text("uid");
        await CreateAsync(_resources.Find(Child)!, "space", "child", Owner(uid));
        // As if an earlier version had let it in: no update of it is valid.
        Change(ChildKey, obj => Metadata.Of(obj)["labels"] = new JsonObject { ["a"] = "no label!" });
        var ownerKey = new StorageKey("secrets", "space", "owner");
        await _writer.DeleteAsync(_resources.Find("secrets")!, ownerKey, new DeleteOptions { Propagation = Propagation.Orphan }, Cancelled);

        Assert.Equal(1, await FinishAsync(ownerKey));
        Assert.Equal([Metadata.OrphanFinalizer], Metadata.Finalizers(JsonText.Parse(_store.Get(ownerKey)!.Json)));
        Change(ChildKey, obj => Metadata.Of(obj).Remove("labels"));
        Assert.Equal(0, await FinishAsync(ownerKey));
        Assert.Null(_store.Get(ownerKey));
        Assert.Empty(Metadata.Owners(JsonText.Parse(_store.Get(ChildKey)!.Json)));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await _store.DisposeAsync();
        _stop.Dispose();
        _folder.Dispose();
    }

    private void Start() =>
        _running = new Housekeeper(_store, _resources, _writer, _feed, TimeProvider.System, NullLogger.Instance).RunAsync(_stop.Token);

    private async Task<int> FinishAsync(StorageKey key)
    {
        var failed = new FailedWrites(NullLogger.Instance);
        await new GarbageCollector(_store, _resources, _writer, failed).FinishAsync(key, Cancelled);
        return failed.Count;
    }

    private async Task<Written> CreateAsync(ServedResource resource, string space, string name, JsonArray owners)
    {
        var obj = new JsonObject
        {
            ["apiVersion"] = resource.Definition.ApiVersion,
            ["kind"] = resource.Definition.Kind,
            ["metadata"] = new JsonObject { ["name"] = name, ["ownerReferences"] = owners },
        };
        var written = await _writer.CreateAsync(resource, space, obj, new WriteOptions(), Cancelled);
        Assert.False(written.Failed, written.Failure?.Message);
        return written.Value;
    }

    private static JsonArray Owner(string uid) =>
        [new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Secret", ["name"] = "owner", ["uid"] = uid }];

    private void Touch(StorageKey key) => Change(key, obj => obj["immutable"] = obj["immutable"] is null ? false : null);

    /// <summary>Writes past the rules of the API.</summary>
    private void Change(StorageKey key, Action<JsonObject> change)
    {
        if (_store.Get(key) is not { } stored)
        {
            return;
        }

        var obj = JsonText.Parse(stored.Json);
        change(obj);
        var request = new WriteRequest
        {
            Key = key,
            Expected = stored,
            Object = EncodedObject.From(obj),
            Uid = Metadata.Of(obj).Text("uid"),
            Owners = Metadata.OwnerUids(obj),
            Terminating = Metadata.IsTerminating(obj),
        };
        Assert.Equal(WriteOutcome.Written, _store.WriteAsync(request, CancellationToken.None).GetAwaiter().GetResult().Outcome);
    }

    /// <summary>Somebody who writes between the read and the write of a deletion: there an ObjectWriter asks for the time.</summary>
    private sealed class Rival : TimeProvider
    {
        public Action? Strike { get; set; }

        public override DateTimeOffset GetUtcNow()
        {
            Strike?.Invoke();
            return base.GetUtcNow();
        }
    }
}
