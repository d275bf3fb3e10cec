using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Housekeeping;

/// <summary>Deletes Events that were not seen again for an hour, as kube-apiserver does: they tell what happens, they are no archive.</summary>
internal sealed class EventRetention(ObjectStore store, ServedResources resources, ObjectWriter writer, TimeProvider time)
{
    private static readonly TimeSpan Kept = TimeSpan.FromHours(1);

    public async Task ForgetAsync(CancellationToken cancellationToken)
    {
        var oldest = time.GetUtcNow() - Kept;
        foreach (var item in store.List(resources.Events.Definition.GroupResource, null).Items)
        {
            if (LastSeen(JsonText.Parse(item.Json)) < oldest)
            {
                await writer.DeleteAsync(resources.Events, item.Key, new DeleteOptions(), cancellationToken);
            }
        }
    }

    private static DateTimeOffset LastSeen(JsonObject obj)
    {
        var series = obj["series"] as JsonObject ?? [];
        string[] times =
        [
            series.Text("lastObservedTime"), obj.Text("lastTimestamp"), obj.Text("eventTime"), Metadata.Of(obj).Text("creationTimestamp"),
        ];
        return times.Max(text => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var seen) ? seen : DateTimeOffset.MinValue);
    }
}
