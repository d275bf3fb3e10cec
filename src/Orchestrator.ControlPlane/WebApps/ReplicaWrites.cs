using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Scheduling;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>Creates, deletes and adopts Replicas for the WebApp controller, several at a time.</summary>
/// <param name="placer">Null: they are all created unbound.</param>
internal sealed class ReplicaWrites(Informer<Replica> replicas, ResourceClient<Replica> client, IPlacer? placer) : IDisposable
{
    /// <summary>
    /// Creates under way at once, of all apps: enough to hide the latency, and few beside the writes of the agents. Those slow them down when
    /// they have more to start than they can: what is created is bound, and would all be begun at once.
    /// </summary>
    private const int Parallelism = 16;

    private readonly SemaphoreSlim _creating = new(Parallelism);
    private readonly ReplicaDeletions _deletions = new(replicas, client);

    public void Dispose() => _creating.Dispose();

    public bool IsDeleting(Replica replica) => replica.Metadata.DeletionTimestamp is not null || _deletions.Contains(replica);

    public static V1OwnerReference OwnerReferenceTo(WebApp app) => new()
    {
        ApiVersion = app.ApiVersion,
        Kind = app.Kind,
        Name = app.Metadata.Name,
        Uid = app.Metadata.Uid,
        Controller = true,
        BlockOwnerDeletion = true,
    };

    /// <summary>Creates <paramref name="count"/> replicas, bound where there is room, and puts them into the cache.</summary>
    /// <param name="template">The revision's: that of the spec, or of an earlier one.</param>
    /// <returns>How many were created, and why not more: the first failure.</returns>
    public async Task<(int Created, Exception? Failure)> CreateAsync(
        WebApp app, string revision, ReplicaTemplate template, int count, CancellationToken cancellationToken)
    {
        var wanted = ReplicaNames.Of(app.Metadata.Name, app.Metadata.Uid, revision)
            .Where(name => replicas.Get(new(app.Metadata.NamespaceProperty, name)) is null)
            .Take(count)
            .Select(name => New(app, revision, template, name))
            .ToList();
        using var places = placer is null ? Reservation.None : await placer.ReserveAsync(wanted, cancellationToken);
        wanted.ForEach(places.Bind);
        var created = 0;
        Exception? failure = null;
        await Parallel.ForEachAsync(wanted, Options(cancellationToken), async (replica, cancellation) =>
        {
            if (Volatile.Read(ref failure) is not null)
            {
                // What failed once would fail again.
                return;
            }

            try
            {
                if (await CreateOneAsync(replica, cancellation))
                {
                    Interlocked.Increment(ref created);
                }
            }
            catch (Exception failed) when (!cancellationToken.IsCancellationRequested)
            {
                Interlocked.CompareExchange(ref failure, failed, null);
            }
        });
        return (created, failure);
    }

    /// <inheritdoc cref="ReplicaDeletions.DeleteAsync"/>
    public Task DeleteAsync(IEnumerable<Replica> leaving, CancellationToken cancellationToken) => _deletions.DeleteAsync(leaving, cancellationToken);

    /// <inheritdoc cref="ReplicaDeletions.RepeatLostAsync"/>
    public Task RepeatLostDeletionsAsync(IEnumerable<Replica> among, CancellationToken cancellationToken) => _deletions.RepeatLostAsync(among, cancellationToken);

    /// <summary>Makes the app the Replica's controller, instead of none or of an earlier app of its name.</summary>
    public Task AdoptAsync(WebApp app, Replica replica, CancellationToken cancellationToken) =>
        SetOwnersAsync(replica, [.. OtherOwners(replica), OwnerReferenceTo(app)], cancellationToken);

    /// <summary>Leaves the Replica to itself.</summary>
    public Task ReleaseAsync(Replica replica, CancellationToken cancellationToken) =>
        SetOwnersAsync(replica, [.. OtherOwners(replica)], cancellationToken);

    private static Replica New(WebApp app, string revision, ReplicaTemplate template, string name) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = app.Metadata.NamespaceProperty,
            Labels = new Dictionary<string, string> { [Labels.App] = app.Metadata.Name, [Labels.Revision] = revision },
            OwnerReferences = [OwnerReferenceTo(app)],
        },
        Spec = new ReplicaSpec { AppName = app.Metadata.Name, Revision = revision, Template = template },
    };

    private async Task<bool> CreateOneAsync(Replica wanted, CancellationToken cancellationToken)
    {
        await _creating.WaitAsync(cancellationToken);
        try
        {
            replicas.Seed(await client.CreateAsync(wanted, cancellationToken));
            return true;
        }
        catch (AlreadyExistsException)
        {
            // The cache is behind, or an earlier try did arrive: what there is decides at the next look, which this brings about.
            if (await client.GetAsync(ObjectKey.Of(wanted), cancellationToken) is { } existing)
            {
                replicas.Seed(existing);
            }

            return false;
        }
        finally
        {
            _creating.Release();
        }
    }

    private async Task SetOwnersAsync(Replica replica, List<V1OwnerReference> owners, CancellationToken cancellationToken)
    {
        var patch = new { metadata = new { resourceVersion = replica.Metadata.ResourceVersion, ownerReferences = owners } };
        replicas.Seed(await client.MergePatchAsync(ObjectKey.Of(replica), patch, cancellationToken));
    }

    private static IEnumerable<V1OwnerReference> OtherOwners(Replica replica) =>
        (replica.Metadata.OwnerReferences ?? []).Where(owner => owner.Controller != true);

    private static ParallelOptions Options(CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken };
}
