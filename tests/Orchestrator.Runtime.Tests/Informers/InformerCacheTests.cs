using System.Globalization;
using k8s;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.Runtime.Tests.Informers;

public sealed class InformerCacheTests
{
    private const string ByHost = "host";

    private readonly InformerCache<Replica> _cache = new();
    private readonly List<string> _told = [];

    public InformerCacheTests()
    {
        _cache.AddIndex(ByHost, replica => replica.Spec.HostName is { } host ? [host] : []);
        _cache.Subscribe(change => _told.Add($"{change.Kind} {change.Key.Name}@{change.Object.Metadata.ResourceVersion}"));
    }

    [Fact]
    public void A_list_and_the_watch_after_it_make_the_cache()
    {
        _cache.Replace([Replica("a", 1), Replica("b", 2)], "2");
        _cache.Apply(WatchEventType.Added, Replica("c", 3));
        _cache.Apply(WatchEventType.Modified, Replica("a", 4));
        _cache.Apply(WatchEventType.Deleted, Replica("b", 5));

        Assert.Equal(["a@4", "c@3"], Held());
        Assert.Equal(["Added a@1", "Added b@2", "Added c@3", "Modified a@4", "Deleted b@2"], _told);
    }

    [Fact]
    public void A_seeded_write_is_seen_at_once_and_told_once()
    {
        _cache.Replace([Replica("a", 1)], "1");
        _cache.Seed(Replica("a", 5));
        _cache.Apply(WatchEventType.Modified, Replica("a", 3));
        _cache.Apply(WatchEventType.Modified, Replica("a", 5));

        Assert.Equal(["a@5"], Held());
        Assert.Equal(["Added a@1", "Modified a@5"], _told);
    }

    [Fact]
    public void A_stale_seed_changes_nothing()
    {
        _cache.Replace([Replica("a", 1)], "1");
        _cache.Apply(WatchEventType.Modified, Replica("a", 9));
        _cache.Seed(Replica("a", 5));

        Assert.Equal(["a@9"], Held());
    }

    [Fact]
    public void A_seed_does_not_bring_back_what_the_watch_has_seen_deleted()
    {
        _cache.Replace([Replica("a", 1)], "1");
        _cache.Apply(WatchEventType.Deleted, Replica("a", 6));
        _cache.Seed(Replica("a", 5));

        Assert.Empty(Held());
    }

    [Fact]
    public void The_end_of_an_earlier_object_leaves_a_seeded_one_of_its_name()
    {
        _cache.Replace([Replica("a", 1, "old")], "1");
        _cache.Seed(Replica("a", 5, "new"));
        _cache.Apply(WatchEventType.Deleted, Replica("a", 4, "old"));

        Assert.Equal(["a@5"], Held());
        Assert.Equal(["Added a@1", "Deleted a@1", "Added a@5"], _told);
    }

    [Fact]
    public void The_answer_to_the_write_that_took_the_last_finalizer_is_not_an_object()
    {
        var gone = Replica("a", 5);
        gone.Metadata.DeletionTimestamp = DateTime.UnixEpoch;
        _cache.Seed(gone);

        Assert.Empty(Held());
    }

    [Fact]
    public void What_was_deleted_while_disconnected_is_told_as_deleted()
    {
        _cache.Replace([Replica("a", 1), Replica("b", 2)], "2");
        _told.Clear();
        _cache.Replace([Replica("b", 2)], "9");

        Assert.Equal(["Deleted a@1"], _told);
    }

    [Fact]
    public void What_was_deleted_and_made_again_while_disconnected_is_told_as_two_objects()
    {
        _cache.Replace([Replica("a", 1, "old")], "1");
        _told.Clear();
        _cache.Replace([Replica("a", 7, "new")], "9");

        Assert.Equal(["Deleted a@1", "Added a@7"], _told);
    }

    [Fact]
    public void A_list_that_is_older_than_a_write_of_ours_does_not_undo_it()
    {
        _cache.Replace([], "1");
        _cache.Seed(Replica("a", 5));
        _cache.Replace([], "4");
        Assert.Equal(["a@5"], Held());

        _cache.Replace([], "5");
        Assert.Empty(Held());
    }

    [Fact]
    public void A_server_that_was_set_back_to_an_older_state_is_believed()
    {
        _cache.Replace([Replica("a", 50), Replica("b", 60)], "60");
        _cache.Replace([Replica("a", 10)], "20");
        Assert.Equal(["a@10"], Held());

        _cache.Apply(WatchEventType.Modified, Replica("a", 21));
        Assert.Equal(["a@21"], Held());
    }

    [Fact]
    public void An_index_follows_every_change()
    {
        _cache.Replace([Replica("a", 1), Replica("b", 2, host: "h1")], "2");
        _cache.Apply(WatchEventType.Modified, Replica("a", 3, host: "h1"));
        Assert.Equal(["a", "b"], On("h1"));

        _cache.Apply(WatchEventType.Modified, Replica("b", 4, host: "h2"));
        _cache.Apply(WatchEventType.Deleted, Replica("a", 5, host: "h1"));
        Assert.Empty(On("h1"));
        Assert.Equal(["b"], On("h2"));
    }

    [Fact]
    public async Task A_reader_of_an_index_never_misses_what_only_changes()
    {
        _cache.Replace([Replica("a", 1, host: "h1")], "1");
        var (reading, done) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), false);
        var missed = Task.Run(() =>
        {
            while (!Volatile.Read(ref done))
            {
                if (_cache.ByIndex(ByHost, "h1").Count != 1)
                {
                    return true;
                }

                reading.TrySetResult();
            }

            return false;
        });
        await reading.Task;
        for (var revision = 2; revision < 50_000 && !missed.IsCompleted; revision++)
        {
            _cache.Apply(WatchEventType.Modified, Replica("a", revision, host: "h1"));
        }

        Volatile.Write(ref done, true);
        Assert.False(await missed);
    }

    [Fact]
    public void A_list_is_there_as_a_whole_when_the_first_of_its_changes_is_told()
    {
        var seen = new List<string>();
        _cache.Subscribe(change => seen.Add($"{change.Kind}: {string.Join(' ', Held())}; on h1: {string.Join(' ', On("h1"))}"));
        _cache.Replace([Replica("a", 1, host: "h1"), Replica("b", 2)], "2");
        _cache.Replace([Replica("b", 3, host: "h1"), Replica("c", 4, host: "h1")], "4");

        Assert.Equal(
            [.. Enumerable.Repeat("Added: a@1 b@2; on h1: a", 2), "Modified: b@3 c@4; on h1: b c", "Added: b@3 c@4; on h1: b c", "Deleted: b@3 c@4; on h1: b c"],
            seen);
    }

    [Fact]
    public void A_snapshot_stays_as_it_was()
    {
        _cache.Replace([Replica("a", 1)], "1");
        var before = _cache.Items;
        _cache.Apply(WatchEventType.Deleted, Replica("a", 2));

        Assert.Single(before);
    }

    private static Replica Replica(string name, long revision, string uid = "uid", string? host = null) => new()
    {
        Metadata = new()
        {
            Name = name,
            NamespaceProperty = "default",
            Uid = uid,
            ResourceVersion = revision.ToString(CultureInfo.InvariantCulture),
        },
        Spec = new() { HostName = host },
    };

    private IEnumerable<string> Held() =>
        _cache.Items.Values.Select(replica => $"{replica.Metadata.Name}@{replica.Metadata.ResourceVersion}").Order(StringComparer.Ordinal);

    private string[] On(string host) => [.. _cache.ByIndex(ByHost, host).Select(replica => replica.Metadata.Name).Order(StringComparer.Ordinal)];
}
