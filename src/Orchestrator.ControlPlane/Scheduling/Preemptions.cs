using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>Deletes Replicas that others take the place of, in the usual way: they drain first.</summary>
internal sealed class Preemptions(SharedInformers informers, IEventRecorder events)
{
    public const string Preempted = "Preempted";

    private readonly ReplicaDeletions _deletions = new(informers.Replicas, informers.ReplicaClient);

    /// <summary>Deleted, and not seen as such yet.</summary>
    public ICollection<string> Uids() => _deletions.Uids;

    public void Clear() => _deletions.Clear();

    /// <exception cref="ApiException">The server refused, or failed.</exception>
    public async Task MakeAsync(Unfit unfit, CancellationToken cancellationToken)
    {
        if (unfit.MakesRoom is not { } room)
        {
            return;
        }

        // The room may be that of one whose deletion has not arrived.
        await _deletions.RepeatLostAsync(informers.Replicas.ByIndex(ReplicaIndexes.ByHost, room.Host), cancellationToken);
        foreach (var victim in room.Victims)
        {
            await _deletions.DeleteAsync([victim], cancellationToken);
            SchedulingMetrics.Preempted.Inc();
            var message = $"{victim.Metadata.Name} on {room.Host} is stopped to make room for {ObjectKey.Of(unfit.Replica)} of priority {room.Priority}";
            events.Record(victim, EventTypes.Warning, Preempted, message);
            if (informers.WebApps.Get(new(victim.Metadata.NamespaceProperty, victim.Spec.AppName)) is { } app)
            {
                events.Record(app, EventTypes.Warning, Preempted, message);
            }
        }
    }
}
