using System.Globalization;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Certificates;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Certificates;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.Acme;

/// <summary>
/// Keeps, for one app with <see cref="RouteTls.Acme"/>, a Secret with a certificate for the hosts that it holds: ordered when there is none, when
/// the hosts or the authority are others, and in time before it ends. What is there stays until its successor is.
/// </summary>
/// <param name="authority">Null: none is configured.</param>
/// <param name="orders">What there is to tell of orders.</param>
internal sealed class AcmeReconciler(
    SharedInformers informers,
    HeldHosts hosts,
    Authority? authority,
    Challenges challenges,
    ContentClient client,
    CertificateStates orders,
    IEventRecorder events,
    TimeProvider time,
    Random random)
{
    /// <summary>Timers cannot wait for months.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromHours(12);

    private readonly OrderBackoff _backoff = new(time, random);

    public async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (informers.WebApps.Get(key) is not { Metadata.DeletionTimestamp: null, Spec.Route.Tls.IsOrdered: true } app)
        {
            _backoff.Forget(key);
            orders.Forget(key);
            await HideAsync(key, cancellationToken);
            return ReconcileResult.Done;
        }

        if (authority is null)
        {
            return Tell(key, AcmeReasons.NotConfigured, "no authority is configured: start the controllers (orc serve) with --acme-email and --acme-accept-terms");
        }

        if (hosts.Of(app) is not { Count: > 0 } held)
        {
            return Tell(key, AcmeReasons.NoHosts, "tls.acme: the route holds no exact host that a certificate could be ordered for; see RouteAccepted");
        }

        if (held.Count > AcmeCertificates.MostHosts)
        {
            return Tell(key, AcmeReasons.NoHosts, $"tls.acme: {held.Count} hosts are more than a certificate may name, {AcmeCertificates.MostHosts}");
        }

        var secret = await client.GetSecretAsync(SecretOf(key), cancellationToken);
        if (secret is not null && secret.Metadata.OwnerReferences?.Any(owner => owner.Uid == app.Metadata.Uid) != true)
        {
            return Tell(key, AcmeReasons.SecretTaken, $"Secret \"{secret.Metadata.Name}\" is not this app's, and is left alone: remove it, and a certificate is ordered");
        }

        if (DueAt(secret, held) is var due && due > time.GetUtcNow())
        {
            _backoff.Forget(key);
            orders.Forget(key);
            await HideAsync(key, cancellationToken);
            return ReconcileResult.After(Shorter(due - time.GetUtcNow(), Longest));
        }

        var what = string.Join(' ', held);
        if (_backoff.LeftOf(key, what) is var left && left > TimeSpan.Zero)
        {
            return ReconcileResult.After(Shorter(left, Longest));
        }

        return await OrderAsync(app, held, what, secret, cancellationToken);
    }

    private async Task<ReconcileResult> OrderAsync(WebApp app, IReadOnlyList<string> held, string what, V1Secret? secret, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(app);
        if (orders.Of(key)?.Reason != AcmeReasons.OrderFailed)
        {
            Tell(key, AcmeReasons.Ordering, $"a certificate is being ordered for {Text(held)}");
        }

        try
        {
            var issued = await authority!.OrderAsync(held, (answers, token) => challenges.ShowAsync(app, answers, token), cancellationToken);
            await WriteAsync(app, secret, issued, cancellationToken);
            events.Record(app, EventTypes.Normal, AcmeReasons.Issued, $"a certificate was issued for {Text(held)}");
        }
        catch (Exception failure) when (failure is AcmeException or ApiException or HttpRequestException)
        {
            // Our own API's refusals too: an order that cannot be kept must not be made again and again, authorities count them.
            var again = _backoff.Failed(key, what, (failure as AcmeException)?.RetryAfter);
            var message = $"no certificate could be ordered: {failure.Message}";
            Tell(key, AcmeReasons.OrderFailed, $"{message}; tried again at {again.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}");
            if (secret is not null)
            {
                // Without a certificate the condition is False, and that is told of by itself.
                events.Record(app, EventTypes.Warning, AcmeReasons.OrderFailed, message);
            }
        }
        finally
        {
            await challenges.HideAsync(key, cancellationToken);
        }

        // What there is now says when to look again.
        return ReconcileResult.After(TimeSpan.Zero);
    }

    /// <summary>Only where the informer knows of it: almost always there is none.</summary>
    private async Task HideAsync(ObjectKey app, CancellationToken cancellationToken)
    {
        if (informers.Secrets.Get(new(ApiGroup.ProxyNamespace, ProxySecrets.ChallengesNameOf(app.Namespace!, app.Name))) is not null)
        {
            await challenges.HideAsync(app, cancellationToken);
        }
    }

    private DateTimeOffset DueAt(V1Secret? secret, IReadOnlyList<string> held)
    {
        if (secret?.GetAnnotation(Annotations.AcmeDirectory) != authority!.Directory.ToString())
        {
            return DateTimeOffset.MinValue;
        }

        try
        {
            using var read = KeyedCertificate.Read(Value(secret, ProxySecrets.Certificate), Value(secret, ProxySecrets.Key));
            return held.All(read.Names) ? RenewalTime.Of(read.NotBefore, read.NotAfter, read.Leaf.SerialNumberBytes.Span) : DateTimeOffset.MinValue;
        }
        catch (FormatException)
        {
            // Somebody has written into it; what it says is as good as nothing.
            return DateTimeOffset.MinValue;
        }
    }

    private async Task WriteAsync(WebApp app, V1Secret? before, IssuedCertificate issued, CancellationToken cancellationToken)
    {
        var key = SecretOf(ObjectKey.Of(app));
        var secret = new V1Secret
        {
            ApiVersion = V1Secret.KubeApiVersion,
            Kind = V1Secret.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = key.Name,
                NamespaceProperty = key.Namespace,
                Annotations = new Dictionary<string, string> { [Annotations.AcmeDirectory] = authority!.Directory.ToString() },
                OwnerReferences = [ReplicaWrites.OwnerReferenceTo(app)],
            },
            Type = "kubernetes.io/tls",
            Data = new Dictionary<string, byte[]> { [ProxySecrets.Certificate] = issued.Chain, [ProxySecrets.Key] = issued.Key },
        };
        if (before is null)
        {
            await client.CreateSecretAsync(secret, cancellationToken);
        }
        else
        {
            (secret.Metadata.Uid, secret.Metadata.ResourceVersion) = (before.Metadata.Uid, before.Metadata.ResourceVersion);
            await client.ReplaceSecretAsync(secret, cancellationToken);
        }
    }

    private ReconcileResult Tell(ObjectKey app, string reason, string message)
    {
        orders.Set(app, new(false, reason, message));
        return ReconcileResult.Done;
    }

    private static ObjectKey SecretOf(ObjectKey app) => new(app.Namespace, AcmeCertificates.SecretNameOf(app.Name));

    private static byte[]? Value(V1Secret? secret, string key) => secret?.Data?.TryGetValue(key, out var value) == true ? value : null;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static string Text(IReadOnlyList<string> held) =>
        held.Count <= 3 ? string.Join(", ", held) : $"{string.Join(", ", held.Take(3))} and {held.Count - 3} more";
}

/// <summary>Reasons of the condition <see cref="ConditionTypes.CertificateReady"/>, and of Events.</summary>
internal static class AcmeReasons
{
    public const string NotConfigured = "AcmeNotConfigured";
    public const string NoHosts = "AcmeNoHosts";
    public const string SecretTaken = "AcmeSecretTaken";
    public const string Ordering = "AcmeOrdering";
    public const string OrderFailed = "AcmeOrderFailed";
    public const string Issued = "AcmeIssued";
}
