using Orchestrator.Api.DockerHosts;
using Prometheus;

namespace Orchestrator.ControlPlane.Hosts;

internal static class HostMetrics
{
    private static readonly Gauge Hosts = Metrics.CreateGauge(
        "orchestrator_hosts", "Docker hosts by condition: each is ready or notready; cordoned ones are counted beside that.", "condition");

    public static void Set(IEnumerable<DockerHost> hosts)
    {
        var (ready, notReady, cordoned) = (0, 0, 0);
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

            if (host.Spec.Unschedulable ?? false)
            {
                cordoned++;
            }
        }

        Hosts.WithLabels("ready").Set(ready);
        Hosts.WithLabels("notready").Set(notReady);
        Hosts.WithLabels("cordoned").Set(cordoned);
    }

    /// <inheritdoc cref="WebApps.WebAppMetrics.Clear"/>
    public static void Clear() => Hosts.RemoveAllLabelled();
}
