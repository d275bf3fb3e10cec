using Orchestrator.Api.DockerHosts;
using Prometheus;

namespace Orchestrator.ControlPlane.Hosts;

internal static class HostMetrics
{
    private static readonly Gauge Hosts = Metrics.CreateGauge(
        "orchestrator_hosts", "Docker hosts by condition: each is ready or notready; cordoned, silent and flapping ones, which are held back for that, are counted beside that.", "condition");

    private static readonly Gauge InDoubt = Metrics.CreateGauge(
        "orchestrator_hosts_in_doubt", "1 while most hosts are silent, and the fault may be on this side: what fell silent at once is not replaced.");

    private static readonly Lock Gate = new();

    // By host, so that a change costs the same among a thousand hosts as among three.
    private static readonly Dictionary<string, Counted> Known = [];
    private static Counted _sum;

    /// <param name="host">Null when it is gone.</param>
    public static void Set(string name, DockerHost? host, DateTimeOffset time)
    {
        lock (Gate)
        {
            Known.Remove(name, out var before);
            var now = host is null ? default : Counted.Of(host, time);
            if (host is not null)
            {
                Known.Add(name, now);
            }

            _sum = _sum + now - before;
            Hosts.WithLabels("ready").Set(_sum.Ready);
            Hosts.WithLabels("notready").Set(Known.Count - _sum.Ready);
            Hosts.WithLabels("cordoned").Set(_sum.Cordoned);
            Hosts.WithLabels("silent").Set(_sum.Silent);
            Hosts.WithLabels("flapping").Set(_sum.Flapping);
            InDoubt.Set(_sum.Silent * 2 > Known.Count ? 1 : 0);
        }
    }

    /// <inheritdoc cref="WebApps.WebAppMetrics.Clear"/>
    public static void Clear()
    {
        lock (Gate)
        {
            Known.Clear();
            _sum = default;
            Hosts.RemoveAllLabelled();
            InDoubt.Set(0);
        }
    }

    private readonly record struct Counted(int Ready, int Cordoned, int Silent, int Flapping)
    {
        public static Counted Of(DockerHost host, DateTimeOffset time) =>
            new(HostHealth.IsReady(host) ? 1 : 0, host.Spec.IsCordoned ? 1 : 0, HostHealth.IsSilent(host) ? 1 : 0, HostFlapping.HeldBackUntil(host.Status, time) is null ? 0 : 1);

        public static Counted operator +(Counted one, Counted other) =>
            new(one.Ready + other.Ready, one.Cordoned + other.Cordoned, one.Silent + other.Silent, one.Flapping + other.Flapping);

        public static Counted operator -(Counted one, Counted other) =>
            new(one.Ready - other.Ready, one.Cordoned - other.Cordoned, one.Silent - other.Silent, one.Flapping - other.Flapping);
    }
}
