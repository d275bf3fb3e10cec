using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>What proxies have counted of canaries (<see cref="Annotations.Canaries"/>), those included that have died since.</summary>
internal sealed class CanaryObservations(SharedInformers informers)
{
    public CanaryCounts Of(WebApp app)
    {
        if (app.Status?.Rollout?.Canary is not { WeightSince: { } since } canary)
        {
            return CanaryCounts.None;
        }

        var key = ObjectKey.Of(app).ToString();
        var seen = informers.ProxyLeases.Items.Values
            .SelectMany(lease => CanaryObservation.Read(Text(lease)))
            .Where(one => one.App == key && one.Revision == canary.Revision && one.Since.ToUniversalTime() == since.ToUniversalTime());
        return seen.Aggregate(CanaryCounts.None, (sum, one) => new(sum.Stable.Plus(one.Stable), sum.Canary.Plus(one.Canary)));
    }

    /// <summary>The apps of whose canary a proxy has counted more. Its renewals, every few seconds, concern nobody.</summary>
    public static IEnumerable<ObjectKey> AffectedBy(InformerEvent<V1Lease> change) => Text(change.Old) == Text(change.New)
        ? []
        : CanaryObservation.Read(Text(change.New))
            .Select(one => one.App.Split('/', 2))
            .Where(parts => parts.Length == 2)
            .Select(parts => new ObjectKey(parts[0], parts[1]));

    private static string? Text(V1Lease? lease) =>
        lease?.Metadata.Annotations is { } annotations && annotations.TryGetValue(Annotations.Canaries, out var text) ? text : null;
}
