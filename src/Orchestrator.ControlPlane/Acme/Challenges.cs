using System.Text;
using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.ControlPlane.Acme;

/// <summary>What proxies are to answer while an app's certificate is ordered: a Secret an app, there for as long as the order.</summary>
internal sealed class Challenges(IKubernetes kubernetes, ContentClient client, LiveProxies proxies, TimeProvider time)
{
    /// <summary>
    /// For so long proxies that have not said that they have it are waited for: they do in milliseconds, and one that is cut off from us may
    /// well not be the one that the authority asks.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Lays the answers out, and returns when all proxies that live have them, or after a moment.</summary>
    public async Task ShowAsync(WebApp app, IReadOnlyDictionary<string, string> answers, CancellationToken cancellationToken)
    {
        var key = KeyOf(ObjectKey.Of(app));
        await HideAsync(ObjectKey.Of(app), cancellationToken);
        await Namespaces.CreateInAsync(
            kubernetes, ApiGroup.ProxyNamespace, () => client.CreateSecretAsync(New(app, key, answers), cancellationToken), cancellationToken);
        var begin = time.GetTimestamp();
        while (!AreShown(answers.Keys) && time.GetElapsedTime(begin) < Patience)
        {
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>None is to be answered for this app any more.</summary>
    public async Task HideAsync(ObjectKey app, CancellationToken cancellationToken)
    {
        if (await client.GetSecretAsync(KeyOf(app), cancellationToken) is { } shown)
        {
            await client.DeleteSecretAsync(KeyOf(app), shown.Metadata.Uid, cancellationToken);
        }
    }

    private bool AreShown(IEnumerable<string> tokens)
    {
        var leases = proxies.Leases.ToList();
        return leases.Count > 0 && leases.TrueForAll(entry =>
            entry.Lease.Metadata.Annotations?.TryGetValue(Annotations.Challenges, out var told) == true && tokens.All(told.Split(',').ToHashSet().Contains));
    }

    private static ObjectKey KeyOf(ObjectKey app) => new(ApiGroup.ProxyNamespace, ProxySecrets.ChallengesNameOf(app.Namespace!, app.Name));

    private static V1Secret New(WebApp app, ObjectKey key, IReadOnlyDictionary<string, string> answers) => new()
    {
        ApiVersion = V1Secret.KubeApiVersion,
        Kind = V1Secret.KubeKind,
        Metadata = new V1ObjectMeta
        {
            Name = key.Name,
            NamespaceProperty = key.Namespace,
            Annotations = new Dictionary<string, string> { [Annotations.AppUid] = app.Metadata.Uid },
        },
        Type = ProxySecrets.ChallengesType,
        Data = answers.ToDictionary(answer => answer.Key, answer => Encoding.ASCII.GetBytes(answer.Value)),
    };
}
