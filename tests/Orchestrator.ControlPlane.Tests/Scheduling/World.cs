using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Scheduling;
using Orchestrator.Runtime;

namespace Orchestrator.ControlPlane.Tests.Scheduling;

/// <summary>Hosts, apps and replicas for scheduling tests, and rounds over them.</summary>
internal sealed class World
{
    private static readonly DateTime Noon = new(2025, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    private readonly Dictionary<string, int> _cursors = [];
    private int _made;

    public List<DockerHost> Hosts { get; } = [];

    public Dictionary<ObjectKey, WebApp> Apps { get; } = [];

    public List<Replica> Replicas { get; } = [];

    public List<(string Host, int Port)> Refused { get; } = [];

    /// <summary>Uids of Replicas that are known to be on their way out although they do not say so yet.</summary>
    public HashSet<string> Leaving { get; } = [];

    /// <summary>Uids of Replicas that go once others serve in their place.</summary>
    public IReadOnlySet<string> Moving { get; set; } = new HashSet<string>();

    /// <summary>Replicas that room is being made for, and where.</summary>
    public List<(Replica Replica, string Host)> Promised { get; } = [];

    public DockerHost Host(string name, string? cpu = null, string? memory = null, Action<DockerHost>? and = null)
    {
        var host = new DockerHost
        {
            Metadata = new() { Name = name },
            Spec = new() { Endpoint = "tcp://10.0.0.1:2376" },
            Status = new()
            {
                Conditions = [new V1Condition { Type = ConditionTypes.Ready, Status = Conditions.True }],
                Capacity = new Dictionary<string, ResourceQuantity>(),
            },
        };
        if (cpu is not null)
        {
            host.Status.Capacity["cpu"] = new(cpu);
        }

        if (memory is not null)
        {
            host.Status.Capacity["memory"] = new(memory);
        }

        and?.Invoke(host);
        Hosts.Add(host);
        return host;
    }

    public WebApp App(string name, Placement? placement = null, string? cpu = null, string? memory = null)
    {
        var app = new WebApp
        {
            Metadata = new() { Name = name, NamespaceProperty = "default" },
            Spec = new() { Image = "web:1", Placement = placement },
        };
        var requests = new Dictionary<string, ResourceQuantity>();
        if (cpu is not null)
        {
            requests["cpu"] = new(cpu);
        }

        if (memory is not null)
        {
            requests["memory"] = new(memory);
        }

        app.Spec.Resources = requests.Count == 0 ? null : new() { Requests = requests };
        Apps[ObjectKey.Of(app)] = app;
        return app;
    }

    public Replica Replica(WebApp app, string? on = null, int? port = null, bool leaving = false, string revision = "r1")
    {
        var replica = new Replica
        {
            Metadata = new()
            {
                Name = $"{app.Metadata.Name}-{revision}-{_made:00000}",
                NamespaceProperty = app.Metadata.NamespaceProperty,
                Uid = $"uid-{_made}",
                CreationTimestamp = Noon.AddSeconds(_made++),
                DeletionTimestamp = leaving ? Noon : null,
            },
            Spec = new() { AppName = app.Metadata.Name, Revision = revision, Template = app.Spec.ToTemplate(), HostName = on, HostPort = port },
        };
        Replicas.Add(replica);
        return replica;
    }

    /// <summary>Decides for all that wait, and binds what was placed.</summary>
    public List<Decision> Round(HostFinder? finder = null)
    {
        var input = Input();
        var waiting = Replicas
            .Where(replica => replica.Spec.HostName is null && replica.Metadata.DeletionTimestamp is null && !Promised.Exists(promise => promise.Replica == replica))
            .ToList();
        var decisions = new PlacementRound(input, _cursors, finder).Place(waiting).ToList();
        foreach (var placed in decisions.OfType<Placed>())
        {
            (placed.Replica.Spec.HostName, placed.Replica.Spec.HostPort) = (placed.Host, placed.Port);
        }

        return decisions;
    }

    /// <summary>What there is, as a round decides by it.</summary>
    public RoundInput Input()
    {
        var bound = Replicas.Where(replica => replica.Spec.HostName is not null)
            .Select(replica => (replica, replica.Spec.HostName!, replica.Spec.HostPort)).ToList();
        return new(Hosts.Select(HostSnapshot.Of), bound, Refused, Apps.GetValueOrDefault) { Now = new(Noon), Leaving = Leaving, Moving = Moving, Promised = Promised };
    }

    public PlacementExplanation Explain(WebApp app, string revision = "r1") => PlacementExplanation.Of(app, revision, Apps.Values, Hosts, Replicas, new FakeTimeProvider(new(Noon)));

    /// <summary>The one decision of a round for one new replica of the app: the host, or the explanation.</summary>
    public string Place(WebApp app, string revision = "r1")
    {
        var replica = Replica(app, revision: revision);
        return Round().Single(decision => decision.Replica == replica) switch
        {
            Placed placed => placed.Host,
            Unfit unfit => unfit.Message,
            var other => throw new InvalidOperationException(other.ToString()),
        };
    }
}
