using System.Collections.Concurrent;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Deletes Replicas that others take the place of, in the usual way: they drain first. Remembers them until the cache shows it, so that no
/// round in between chooses further ones.
/// </summary>
internal sealed class Preemptions
{
    public const string Preempted = "Preempted";

    private readonly SharedInformers _informers;
    private readonly IEventRecorder _events;
    private readonly ConcurrentDictionary<string, bool> _uids = new(StringComparer.Ordinal);

    public Preemptions(SharedInformers informers, IEventRecorder events)
    {
        (_informers, _events) = (informers, events);
        informers.Replicas.Subscribe(change =>
        {
            if (change.New is null or { Metadata.DeletionTimestamp: not null })
            {
                _uids.TryRemove(change.Object.Metadata.Uid, out _);
            }
        });
    }

    /// <summary>Deleted, and not seen as such yet.</summary>
    public ICollection<string> Uids() => _uids.Keys;

    public void Clear() => _uids.Clear();

    /// <exception cref="ApiException">The server refused, or failed.</exception>
    public async Task MakeAsync(Unfit unfit, CancellationToken cancellationToken)
    {
        foreach (var victim in unfit.MakesRoom?.Victims ?? [])
        {
            await DeleteAsync(victim, cancellationToken);
            SchedulingMetrics.Preempted.Inc();
            var message = $"{victim.Metadata.Name} on {unfit.MakesRoom!.Host} is stopped to make room for "
                + $"{ObjectKey.Of(unfit.Replica)} of priority {unfit.MakesRoom.Priority}";
            _events.Record(victim, EventTypes.Warning, Preempted, message);
            if (_informers.WebApps.Get(new(victim.Metadata.NamespaceProperty, victim.Spec.AppName)) is { } app)
            {
                _events.Record(app, EventTypes.Warning, Preempted, message);
            }
        }
    }

    private async Task DeleteAsync(Replica victim, CancellationToken cancellationToken)
    {
        var (key, uid) = (ObjectKey.Of(victim), victim.Metadata.Uid);
        _uids[uid] = true;
        try
        {
            await _informers.ReplicaClient.DeleteAsync(key, uid, cancellationToken);
        }
        catch (ConflictException)
        {
            // Another object has the name: this one is gone.
        }
        catch
        {
            // Refused, or not known to have arrived: the next round chooses anew, and the same as long as nothing has changed.
            _uids.TryRemove(uid, out _);
            throw;
        }

        if (_informers.Replicas.Get(key) is not { } cached || cached.Metadata.Uid != uid || cached.Metadata.DeletionTimestamp is not null)
        {
            // The watch was faster than the answer.
            _uids.TryRemove(uid, out _);
        }
    }
}
