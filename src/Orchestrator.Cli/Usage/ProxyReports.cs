using System.Globalization;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Usage;

/// <summary>What the live proxies tell of requests, on their Leases.</summary>
internal sealed class ProxyReports(Session session)
{
    /// <summary>
    /// A Lease that has run out for longer is of a proxy that nobody misses: one that starts sweeps such Leases, and until then they would be named for ever.
    /// </summary>
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromMinutes(10);

    /// <summary>Seconds; what a Lease that does not say counts with.</summary>
    private const int DefaultDuration = 10;

    /// <summary>Notes each proxy that is silent; that there is none; or why it is not known, as who may see apps need not be allowed to see that.</summary>
    /// <returns>Null when it is not known.</returns>
    public async Task<IReadOnlyList<ToldTraffic>?> ReadAsync(CancellationToken cancellationToken)
    {
        List<V1Lease> leases;
        try
        {
            var kind = await session.Kinds.FindAsync($"{V1Lease.KubeGroup}/{V1Lease.KubeApiVersion}", V1Lease.KubeKind, cancellationToken);
            leases = await ListScope.ReadAllAsync<V1Lease>(
                session.Api, new ListScope(kind, ApiGroup.SystemNamespace, null, $"{Labels.Component}={Labels.ProxyComponent}", null), cancellationToken);
        }
        catch (ApiException refused)
        {
            session.Terminal.Warn($"what proxies see of requests is not known: {refused.Message}");
            return null;
        }

        // By this machine's clock and the proxies': nothing else says when a Lease was renewed to who looks at it once.
        var now = session.Time.GetUtcNow().UtcDateTime;
        var live = new List<ToldTraffic>();
        foreach (var lease in leases.OrderBy(lease => lease.Metadata.Name, StringComparer.Ordinal))
        {
            var silence = now - (lease.Spec?.RenewTime ?? DateTime.MinValue);
            if (silence <= TimeSpan.FromSeconds(lease.Spec?.LeaseDurationSeconds ?? DefaultDuration))
            {
                live.Add(ToldTraffic.Of(lease));
            }
            else if (silence < ForgottenAfter)
            {
                session.Terminal.Note(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Proxy {lease.Metadata.Name} has been silent for {silence.TotalSeconds:0} s, by this machine's clock: what it sees is not in the numbers."));
            }
        }

        if (live.Count == 0)
        {
            session.Terminal.Note("No proxy tells of requests.");
        }

        return live;
    }
}
