using System.Collections.Concurrent;
using System.Net;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane;

/// <summary>
/// Deletes Replicas, and remembers what it has deleted until the cache shows it: whoever plans again from a cache that lags must not
/// choose further victims.
/// </summary>
internal sealed class ReplicaDeletions
{
    /// <summary>Requests of one caller under way at once: enough to hide the latency, few enough to be fair to others.</summary>
    private const int Parallelism = 16;

    private readonly Informer<Replica> _replicas;
    private readonly ResourceClient<Replica> _client;

    // What was deleted and is not seen as such yet. True: the answer was lost, and with it whether the request has arrived.
    private readonly ConcurrentDictionary<string, bool> _uids = new(StringComparer.Ordinal);

    public ReplicaDeletions(Informer<Replica> replicas, ResourceClient<Replica> client)
    {
        (_replicas, _client) = (replicas, client);
        replicas.Subscribe(change =>
        {
            if (change.New is null or { Metadata.DeletionTimestamp: not null })
            {
                _uids.TryRemove(change.Object.Metadata.Uid, out _);
            }
        });
    }

    /// <summary>Deleted, and not seen as such yet.</summary>
    public ICollection<string> Uids => _uids.Keys;

    public bool Contains(Replica replica) => _uids.ContainsKey(replica.Metadata.Uid);

    public void Clear() => _uids.Clear();

    /// <exception cref="ApiException">The server refused one, or failed.</exception>
    public Task DeleteAsync(IEnumerable<Replica> replicas, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        replicas,
        new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
        async (replica, cancellation) => await DeleteOneAsync(replica, cancellation));

    /// <summary>
    /// Sends deletions again whose answers were lost. To be done before planning: as long as it is not known whether a replica goes,
    /// to choose another victim could make it two too few, and to make another one, one too many.
    /// </summary>
    /// <inheritdoc cref="DeleteAsync" path="/exception"/>
    public Task RepeatLostAsync(IEnumerable<Replica> replicas, CancellationToken cancellationToken) => DeleteAsync(
        replicas.Where(replica => replica.Metadata.DeletionTimestamp is null && _uids.GetValueOrDefault(replica.Metadata.Uid)), cancellationToken);

    private async Task DeleteOneAsync(Replica replica, CancellationToken cancellationToken)
    {
        var (key, uid) = (ObjectKey.Of(replica), replica.Metadata.Uid);
        _uids[uid] = false;
        try
        {
            await _client.DeleteAsync(key, uid, cancellationToken);
        }
        catch (ConflictException)
        {
            // Another object has the name: this one is gone.
        }
        catch (ApiException refused) when (refused.Code < HttpStatusCode.InternalServerError)
        {
            // It is still there.
            _uids.TryRemove(uid, out _);
            throw;
        }
        catch
        {
            _uids[uid] = true;
            throw;
        }

        if (_replicas.Get(key) is not { } cached || cached.Metadata.Uid != uid || cached.Metadata.DeletionTimestamp is not null)
        {
            // The watch was faster than the answer.
            _uids.TryRemove(uid, out _);
        }
    }
}
