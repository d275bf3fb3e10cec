using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Hosts;

/// <summary>
/// Removes what a crash has left of the work with files: fillers whose work is done or will not be, and volumes of Replicas that
/// are gone. What belongs to a Replica that is there is used by the next try to make its container.
/// </summary>
internal sealed partial class LeftoverFiles(string hostName, string instanceId, ILogger logger)
{
    /// <param name="claimed">Uids of Replicas whose container is there: it was made after its volumes were filled.</param>
    /// <param name="isOrphan">Whether the API says that the Replica of these labels is gone.</param>
    public async Task RemoveAsync(
        IEngine engine,
        IReadOnlyList<ListedContainer> listed,
        IReadOnlyDictionary<string, ListedContainer> claimed,
        Func<IReadOnlyDictionary<string, string>, string, Task<bool>> isOrphan,
        CancellationToken cancellationToken)
    {
        foreach (var filler in listed.Where(container => container.Labels.ContainsKey(FileVolumes.FillerLabel)))
        {
            var uid = filler.Labels[FileVolumes.FillerLabel];
            var labels = new Dictionary<string, string>(filler.Labels) { [Labels.ReplicaUid] = uid };
            if (IsOfThisHost(labels) && (claimed.ContainsKey(uid) || await isOrphan(labels, filler.Name)))
            {
                await TryAsync(filler.Name, () => engine.RemoveAsync(filler.Id, cancellationToken));
            }
        }

        foreach (var volume in await ListVolumesAsync(engine, cancellationToken))
        {
            if (IsOfThisHost(volume.Labels) && volume.Labels.TryGetValue(Labels.ReplicaUid, out var uid) && !claimed.ContainsKey(uid)
                && await isOrphan(volume.Labels, volume.Name))
            {
                Log.RemovingVolume(logger, volume.Name, hostName, uid);
                await TryAsync(volume.Name, () => engine.RemoveVolumeAsync(volume.Name, cancellationToken));
            }
        }
    }

    /// <summary>An engine that does not let its volumes be listed (some stand behind a filter of their API) is one all the same.</summary>
    private async Task<IReadOnlyList<ListedVolume>> ListVolumesAsync(IEngine engine, CancellationToken cancellationToken)
    {
        try
        {
            return await engine.ListVolumesAsync(instanceId, cancellationToken);
        }
        catch (EngineException refused) when (!refused.IsTransport)
        {
            Log.VolumesUnknown(logger, refused, hostName);
            return [];
        }
    }

    private bool IsOfThisHost(IReadOnlyDictionary<string, string> labels) => labels.GetValueOrDefault(Labels.Host) == hostName;

    private async Task TryAsync(string name, Func<Task> remove)
    {
        try
        {
            await remove();
        }
        catch (EngineException failure) when (!failure.IsTransport)
        {
            Log.Stays(logger, failure, name, hostName);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Removing volume {Name} from host {Host}: its Replica ({Uid}) is gone")]
        public static partial void RemovingVolume(ILogger logger, string name, string host, string uid);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The volumes of host {Host} could not be listed; what was left there stays")]
        public static partial void VolumesUnknown(ILogger logger, Exception failure, string host);

        [LoggerMessage(Level = LogLevel.Warning, Message = "{Name} on host {Host} could not be removed; the next look tries again")]
        public static partial void Stays(ILogger logger, Exception failure, string name, string host);
    }
}
