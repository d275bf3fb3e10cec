using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.Certificates;

/// <summary>
/// Keeps, for one app, the Secret that proxies may read (<see cref="ProxySecrets"/>) as the Secrets are that its route names.
/// </summary>
internal sealed class CertificateReconciler(
    SharedInformers informers, IKubernetes kubernetes, ContentClient client, CertificateStates orders, CertificateStates states, TimeProvider time)
{
    /// <summary>Looking again without a cause finds what no event told of.</summary>
    private static readonly TimeSpan Resync = TimeSpan.FromHours(1);

    private static readonly Dictionary<string, byte[]> Nothing = [];

    public async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var target = new ObjectKey(ApiGroup.ProxyNamespace, ProxySecrets.NameOf(key.Namespace!, key.Name));
        if (informers.WebApps.Get(key) is not { Metadata.DeletionTimestamp: null, Spec.Route: { Tls: { } tls } route } app)
        {
            states.Forget(key);
            if (informers.Secrets.Get(target) is { } left)
            {
                await client.DeleteSecretAsync(target, left.Metadata.Uid, cancellationToken);
            }

            return ReconcileResult.Done;
        }

        var there = await client.GetSecretAsync(target, cancellationToken);

        // What an earlier app of this name had is not this one's to show.
        var isOurs = there?.GetAnnotation(Annotations.AppUid) == app.Metadata.Uid;
        var given = isOurs ? there!.Data?.ToDictionary() ?? Nothing : Nothing;
        var named = tls with { SecretName = tls.SecretNameFor(key.Name) };

        // Before the Secret is read: an order's result is written before the order is done with.
        var order = tls.IsOrdered ? orders.Of(key) : null;
        var certificate = await FindAsync(key, named.SecretName, cancellationToken);
        var review = CertificateReview.Of(
            route, named, certificate, await FindAsync(key, tls.ClientAuth?.SecretName, cancellationToken), given, time.GetUtcNow())
            .With(order);
        if (there is null)
        {
            // On a real cluster nobody may have made the namespace yet.
            await Namespaces.CreateInAsync(
                kubernetes, ApiGroup.ProxyNamespace, () => client.CreateSecretAsync(New(app, target, review.Data), cancellationToken), cancellationToken);
        }
        else if (!isOurs || !IsSame(given, review.Data))
        {
            var changed = New(app, target, review.Data);
            (changed.Metadata.Uid, changed.Metadata.ResourceVersion) = (there.Metadata.Uid, there.Metadata.ResourceVersion);
            await client.ReplaceSecretAsync(changed, cancellationToken);
        }

        // After the write: what the condition says, proxies can have. Of a certificate that is still to be ordered the order tells first.
        if (!tls.IsOrdered || order is not null || certificate is not null)
        {
            states.Set(key, review.State);
        }

        return ReconcileResult.After(review.LookAgainAfter < Resync ? review.LookAgainAfter.Value : Resync);
    }

    private Task<V1Secret?> FindAsync(ObjectKey app, string? name, CancellationToken cancellationToken) =>
        name is null ? Task.FromResult<V1Secret?>(null) : client.GetSecretAsync(new(app.Namespace, name), cancellationToken);

    private static V1Secret New(WebApp app, ObjectKey key, IReadOnlyDictionary<string, byte[]> data) => new()
    {
        ApiVersion = V1Secret.KubeApiVersion,
        Kind = V1Secret.KubeKind,
        Metadata = new V1ObjectMeta
        {
            Name = key.Name,
            NamespaceProperty = key.Namespace,
            Annotations = new Dictionary<string, string> { [Annotations.AppUid] = app.Metadata.Uid },
        },
        Type = ProxySecrets.Type,
        Data = data.ToDictionary(),
    };

    private static bool IsSame(Dictionary<string, byte[]> one, IReadOnlyDictionary<string, byte[]> other) =>
        one.Count == other.Count && one.All(entry => other.TryGetValue(entry.Key, out var value) && value.AsSpan().SequenceEqual(entry.Value));
}
