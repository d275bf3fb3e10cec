using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.ApiServer.Housekeeping;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Storage;
using Orchestrator.ApiServer.Tests.Storage;

namespace Orchestrator.ApiServer.Tests.Housekeeping;

public sealed class EventRetentionTests
{
    [Fact]
    public async Task Events_that_were_not_seen_for_an_hour_are_forgotten()
    {
        using var folder = new TemporaryFolder();
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(60));
        await using var store = new ObjectStore(folder.Path, _ => { }, _ => { }, time, NullLogger.Instance);
        var resources = new ServedResources(BuiltInResources.With([]));
        var writer = new ObjectWriter(store, time);
        await store.CreateAsync("namespaces", "", "default");
        await CreateAsync("old", null);
        await CreateAsync("seen-again", time.GetUtcNow().AddMinutes(40));
        time.Advance(TimeSpan.FromMinutes(30));
        await CreateAsync("young", null);
        time.Advance(TimeSpan.FromMinutes(31));
        await new EventRetention(store, resources, writer, time).ForgetAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["seen-again", "young"], store.List("events", "default").Items.Select(item => item.Key.Name));

        async Task CreateAsync(string name, DateTimeOffset? lastSeen)
        {
            var obj = new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Event",
                ["metadata"] = new JsonObject { ["name"] = name },
                ["involvedObject"] = new JsonObject { ["namespace"] = "default" },
            };
            if (lastSeen is { } seen)
            {
                obj["lastTimestamp"] = Metadata.Timestamp(seen);
            }

            var written = await writer.CreateAsync(
                resources.Events, "default", obj, new WriteOptions(), TestContext.Current.CancellationToken);
            Assert.False(written.Failed, written.Failure?.Message);
        }
    }
}
