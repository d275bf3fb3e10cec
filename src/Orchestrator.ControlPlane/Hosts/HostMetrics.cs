using Orchestrator.Api.DockerHosts;
using Prometheus;

namespace Orchestrator.ControlPlane.Hosts;

internal static class HostMetrics
{
    private static readonly Gauge Hosts = Metrics.CreateGauge(
        "orchestrator_hosts", "Docker hosts by condition: each is ready or notready; cordoned, silent and flapping ones, which are held back for that, are counted beside that.", "condition");

    private static readonly Gauge InDoubt = Metrics.CreateGauge(
        "orchestrator_hosts_in_doubt", "1 while most hosts are silent, and the fault may be on this side: what fell silent at once is not replaced.");

    public static void Set(IEnumerable<DockerHost> hosts, DateTimeOffset now)
    {
        var (ready, notReady, cordoned, silent, flapping) = (0, 0, 0, 0, 0);
        foreach (var host in hosts)
        {
            if (HostHealth.IsReady(host))
            {
                ready++;
            }
            else
            {
                notReady++;
            }

            if (HostHealth.IsSilent(host))
            {
                silent++;
            }

            if (HostFlapping.HeldBackUntil(host.Status, now) is not null)
            {
                flapping++;
            }

            if (host.Spec.IsCordoned)
            {
                cordoned++;
            }
        }

        Hosts.WithLabels("ready").Set(ready);
        Hosts.WithLabels("notready").Set(notReady);
        Hosts.WithLabels("cordoned").Set(cordoned);
        Hosts.WithLabels("silent").Set(silent);
        Hosts.WithLabels("flapping").Set(flapping);
        InDoubt.Set(silent * 2 > ready + notReady ? 1 : 0);
    }

    /// <inheritdoc cref="WebApps.WebAppMetrics.Clear"/>
    public static void Clear() => Hosts.RemoveAllLabelled();
}
