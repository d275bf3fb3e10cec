using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Tests.Storage;

public sealed class ObjectStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(60));
    private readonly List<Change> _changes = [];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Revisions_rise_are_in_the_objects_and_go_on_after_a_restart()
    {
        long last;
        await using (var store = Open())
        {
            await store.CreateAsync("namespaces", "", "n");
            var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => store.CreateAsync("maps", "n", $"m{i}")));
            var revisions = results.Select(result => result.Stored!.Revision).ToList();
            Assert.Equal(50, revisions.Distinct().Count());
            Assert.All(results, result => Assert.Equal(result.Stored!.Revision, RevisionIn(result.Stored.Json)));
            Assert.Equal(_changes.Select(change => change.Revision).Order(), _changes.Select(change => change.Revision));
            last = revisions.Max();
            await store.DeleteAsync(results[49].Stored!);
        }

        await using (var store = Open())
        {
            Assert.Equal(last + 1, store.Revision);
            Assert.Equal(last + 2, (await store.CreateAsync("maps", "n", "later")).Stored!.Revision);
        }
    }

    [Fact]
    public async Task A_write_meets_only_the_state_it_was_made_from()
    {
        await using var store = Open();
        await store.CreateAsync("namespaces", "", "n");
        var first = (await store.CreateAsync("maps", "n", "m")).Stored!;
        Assert.Equal(WriteOutcome.AlreadyExists, (await store.CreateAsync("maps", "n", "m")).Outcome);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => store.UpdateAsync(first, $"v{i}")));
        Assert.Equal(1, outcomes.Count(result => result.Outcome == WriteOutcome.Written));
        Assert.Equal(9, outcomes.Count(result => result.Outcome == WriteOutcome.Conflict));
        Assert.Equal(WriteOutcome.Conflict, (await store.DeleteAsync(first)).Outcome);
        await store.DeleteAsync(store.Get(first.Key)!);
        Assert.Equal(WriteOutcome.NotFound, (await store.UpdateAsync(first, "late")).Outcome);
        Assert.Equal(WriteOutcome.NamespaceNotFound, (await store.CreateAsync("maps", "none", "m")).Outcome);
    }

    [Fact]
    public async Task A_past_revision_is_listed_as_it_was_until_it_is_compacted()
    {
        await using var store = Open();
        await store.CreateAsync("namespaces", "", "n");
        foreach (var name in (string[])["a", "b", "c"])
        {
            await store.CreateAsync("maps", "n", name, "first");
        }

        var then = store.Revision;
        await store.DeleteAsync(Get(store, "a"));
        await store.UpdateAsync(Get(store, "b"), "second");
        await store.UpdateAsync(Get(store, "b"), "third");
        await store.CreateAsync("maps", "n", "aa", "new");
        await store.CreateAsync("maps", "n", "a", "again");
        Assert.Equal(["a first", "b first", "c first"], At(store, then));
        Assert.Equal(["a again", "aa new", "b third", "c first"], At(store, null));

        _time.Advance(TimeSpan.FromMinutes(11));
        await store.CreateAsync("maps", "n", "z", "young");
        await store.CompactAsync(Cancelled);
        Assert.Throws<RevisionExpiredException>(() => At(store, then));
        Assert.Equal(5, At(store, null).Count);
        var changes = new List<Change>();
        Assert.Throws<RevisionExpiredException>(() => store.Changes("maps", then, 10, changes));
        Assert.Equal(store.Revision, store.Changes("maps", store.Revision - 1, 10, changes));
        Assert.Equal("z", Assert.Single(changes).Key.Name);
    }

    [Fact]
    public async Task The_file_does_not_grow_with_the_number_of_writes()
    {
        await using var store = Open();
        await store.CreateAsync("namespaces", "", "n");
        var current = (await store.CreateAsync("maps", "n", "m")).Stored!;
        var text = new string('x', 20_000);
        long peak = 0;
        for (var round = 0; round < 4; round++)
        {
            for (var i = 0; i < 100; i++)
            {
                current = (await store.UpdateAsync(current, text + i)).Stored!;
            }

            _time.Advance(TimeSpan.FromMinutes(11));
            await store.CompactAsync(Cancelled);
            peak = round == 0 ? store.SizeInBytes : peak;
        }

        Assert.True(store.SizeInBytes <= peak * 3 / 2, $"{store.SizeInBytes} bytes after, {peak} before");
    }

    [Fact]
    public async Task A_file_of_a_newer_version_is_refused_and_left_alone()
    {
        await Open().DisposeAsync();
        Execute("PRAGMA user_version = 2");
        var failure = Assert.Throws<StorageException>(Open);
        Assert.Contains("newer version", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_file_is_told_from_a_whole_one()
    {
        await Open().DisposeAsync();
        await using (var file = File.OpenWrite(_folder["state.db"]))
        {
            file.Position = 8192;
            file.Write(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("damage! ", 4096))));
        }

        Assert.Contains("is damaged", Assert.Throws<StorageException>(Open).Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(_folder["state.db"], string.Concat(Enumerable.Repeat("no database at all. ", 100)), Cancelled);
        Assert.Contains("is damaged", Assert.Throws<StorageException>(Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_is_locked_for_one_and_the_other_learns_by_whom()
    {
        using var first = DataFolderLock.Take(_folder.Path);
        var refused = Assert.Throws<DataFolderInUseException>(() => DataFolderLock.Take(_folder.Path));
        Assert.Equal((Environment.ProcessId, _folder.Path), (refused.ProcessId, refused.Folder));
        Assert.Contains($"process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
        first.Dispose();
        DataFolderLock.Take(_folder.Path).Dispose();
    }

    public void Dispose() => _folder.Dispose();

    private ObjectStore Open() => new(_folder.Path, _ => { }, _changes.AddRange, _time, NullLogger.Instance);

    private static StoredObject Get(ObjectStore store, string name) => store.Get(new StorageKey("maps", "n", name))!;

    private static List<string> At(ObjectStore store, long? revision)
    {
        var items = new List<string>();
        store.List("maps", "n", ("", ""), revision, item =>
        {
            items.Add($"{item.Key.Name} {JsonNode.Parse(item.Json)!["value"]}");
            return true;
        });
        return items;
    }

    private static long RevisionIn(byte[] json) => long.Parse(
        JsonNode.Parse(json)!["metadata"]!["resourceVersion"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture);

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={_folder["state.db"]};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Text of the test's own.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
