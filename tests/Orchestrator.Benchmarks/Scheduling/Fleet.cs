using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Scheduling;
using Orchestrator.Runtime;

namespace Orchestrator.Benchmarks.Scheduling;

/// <summary>
/// Hosts in ten zones, every second with an SSD, and ten replicas a host of apps of a hundred, as they would be mixed: a third spread
/// strictly over zones, a third loosely over zones and hosts, a third not at all; half of them want an SSD; all have requests.
/// </summary>
internal sealed class Fleet
{
    public const int ReplicasAHost = 10;

    private const int ReplicasAnApp = 100;
    private const int AppsASecond = 10;
    private const int Zones = 10;
    private const string Namespace = "default";

    /// <param name="mixed">Replicas of all apps come by turns, as when all were restarted at once; else the apps come one after the other.</param>
    public Fleet(int hosts, bool mixed = false)
    {
        Hosts = [.. Enumerable.Range(0, hosts).Select(Host)];
        Apps = [.. Enumerable.Range(0, hosts * ReplicasAHost / ReplicasAnApp).Select(App)];
        Replicas = [.. Apps.SelectMany((app, index) => Enumerable.Range(0, ReplicasAnApp).Select(number => Replica(app, (index * ReplicasAnApp) + number, mixed ? number : index / AppsASecond)))];
        AppOf = Apps.ToDictionary(ObjectKey.Of);
    }

    public IReadOnlyList<DockerHost> Hosts { get; }

    public IReadOnlyList<WebApp> Apps { get; }

    public IReadOnlyList<Replica> Replicas { get; }

    private Dictionary<ObjectKey, WebApp> AppOf { get; }

    /// <summary>One round over the empty hosts, or over those that others are bound to.</summary>
    public PlacementRound Round(IEnumerable<(Replica Replica, string Host, int? Port)> bound, HostFinder? finder = null) =>
        new(new RoundInput(Hosts.Select(HostSnapshot.Of), bound, [], AppOf.GetValueOrDefault), [], finder);

    public static DockerHost Host(int number) => new()
    {
        Metadata = new()
        {
            Name = $"host-{number:00000}",
            Labels = new Dictionary<string, string> { ["zone"] = $"zone-{number % Zones}", ["disk"] = number / Zones % 2 == 0 ? "ssd" : "hdd" },
        },
        Spec = new() { Endpoint = "tcp://10.0.0.1:2376" },
        Status = new()
        {
            Conditions = [new V1Condition { Type = ConditionTypes.Ready, Status = Conditions.True, Reason = "EngineAnswers", LastTransitionTime = DateTime.UnixEpoch }],
            Capacity = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("16"), ["memory"] = new("64Gi") },
        },
    };

    public static WebApp App(int number) => new()
    {
        Metadata = new() { Name = $"app-{number:0000}", NamespaceProperty = Namespace, Uid = $"uid-{number}" },
        Spec = new()
        {
            Replicas = ReplicasAnApp,
            Image = "registry.example.org/web:v1",
            Resources = new() { Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new($"{100 * (1 + (number % 4))}m"), ["memory"] = new($"{128 * (1 + (number % 3))}Mi") } },
            Placement = new()
            {
                HostSelector = number % 2 == 0 ? new Dictionary<string, string> { ["disk"] = "ssd" } : null,
                Spread = (number % 3) switch
                {
                    0 => [new() { TopologyKey = "zone", WhenUnsatisfiable = UnsatisfiableActions.DoNotSchedule }],
                    1 => [new() { TopologyKey = "zone" }, new() { TopologyKey = TopologyKeys.Hostname }],
                    _ => null,
                },
            },
        },
    };

    private static Replica Replica(WebApp app, int number, int second) => new()
    {
        Metadata = new()
        {
            Name = $"{app.Metadata.Name}-{number:000000}",
            NamespaceProperty = Namespace,
            Uid = $"uid-{number}",
            CreationTimestamp = DateTime.UnixEpoch.AddSeconds(second),
        },
        Spec = new() { AppName = app.Metadata.Name, Revision = "bcdfghjklm", Template = app.Spec.ToTemplate() },
    };
}
