using k8s;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.Rebalancing;
using Orchestrator.ControlPlane.Tests.Scheduling;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Events;

namespace Orchestrator.ControlPlane.Tests.Rebalancing;

/// <summary>Judgement, plan, scheduler and rebalancer together over a <see cref="World"/>, a step at a time.</summary>
internal sealed class Balance : IEventRecorder
{
    private readonly HostOutages _outages;

    public Balance()
    {
        Time = new FakeTimeProvider(new(2025, 3, 1, 12, 0, 0, TimeSpan.Zero));
        Moves = new Moves(this, Time);
        _outages = new HostOutages(() => World.Hosts) { LedSince = Time.GetUtcNow() - TimeSpan.FromDays(1) };
    }

    public World World { get; } = new();

    public FakeTimeProvider Time { get; }

    public Moves Moves { get; }

    /// <summary>Reason and message.</summary>
    public List<string> Events { get; } = [];

    /// <summary>Whether a bound replica becomes ready in this step.</summary>
    public Func<Replica, bool> Starts { get; set; } = _ => true;

    public Func<string, bool> IsSteady { get; set; } = _ => true;

    /// <summary>What was planned for an app, each time before it is begun on.</summary>
    public Action<WebApp, RolloutLimits, IReadOnlyList<ReplicaView>, RolloutPlan>? Planned { get; set; }

    public void Record(IKubernetesObject<V1ObjectMeta> about, string type, string reason, string message) => Events.Add($"{reason}: {message}");

    /// <summary>Reconciles each app, decides a round, and lets start what starts.</summary>
    /// <returns>Whether anything was made, bound or deleted, has become ready, or may yet.</returns>
    public bool Step()
    {
        Time.Advance(TimeSpan.FromSeconds(1));
        var changed = false;
        foreach (var app in World.Apps.Values)
        {
            changed |= Reconcile(app);
        }

        SeeHosts();
        World.Moving = Moves.Uids;
        var unbound = World.Replicas.Count(replica => replica.Spec.HostName is null);
        foreach (var unfit in World.Round().OfType<ControlPlane.Scheduling.Unfit>())
        {
            unfit.Replica.Status = new() { Reason = ControlPlane.Scheduling.Binder.Unschedulable, Message = unfit.Message };
        }

        changed |= World.Replicas.Count(replica => replica.Spec.HostName is null) != unbound;
        foreach (var replica in World.Replicas.Where(replica => replica.Spec.HostName is not null))
        {
            var was = replica.Status is { Ready: true };
            var ready = HostOf(replica) is { } host && HostHealth.IsReady(host) && (was || Starts(replica));
            changed |= ready != was;
            replica.Status = new() { Ready = ready };
        }

        foreach (var app in World.Apps.Values)
        {
            var target = RolloutTarget.Of(app);
            app.Status = StatusRollup.Make(new(app, target, View(app, target).Live), Time.GetUtcNow());
        }

        return changed || World.Replicas.Exists(replica => replica is { Spec.HostName: not null, Status: not { Ready: true } });
    }

    /// <summary>One look of the rebalancer.</summary>
    /// <returns>What is begun.</returns>
    public IReadOnlyList<Move> Look()
    {
        SeeHosts();
        World.Moving = Moves.Uids;
        var apps = World.Apps.Values
            .Where(app => Moves.MayBegin(ObjectKey.Of(app)))
            .Select(app => SettledApp.Find(app, ReplicasOf(app), name => World.Hosts.Find(host => host.Metadata.Name == name)))
            .OfType<SettledApp>();
        var takers = World.Hosts.Where(SteadyHosts.TakesReplicas).Select(host => host.Metadata.Name).ToList();
        var planned = RebalancePlan.Make(World.Input(), apps, takers, IsSteady, Moves);
        foreach (var (app, moves) in planned)
        {
            Moves.Begin(app.App, AppMoves.Of(app, moves, Time.GetUtcNow()));
        }

        return [.. planned.SelectMany(app => app.Moves)];
    }

    /// <summary>Steps and looks until nothing changes any more.</summary>
    /// <returns>All moves that were begun.</returns>
    public List<Move> Settle(int withinSteps = 300)
    {
        var moves = new List<Move>();
        for (var quiet = 0; quiet < 3; withinSteps--)
        {
            Assert.True(withinSteps > 0, $"does not settle: {this}");
            var begun = Look();
            moves.AddRange(begun);
            quiet = Step() || begun.Count > 0 || Moves.Count > 0 ? 0 : quiet + 1;
        }

        return moves;
    }

    /// <summary>Replicas of the app by host, of hosts that have any.</summary>
    public string Counts(WebApp app) => string.Join(' ', ReplicasOf(app)
        .CountBy(replica => replica.Spec.HostName ?? "?").OrderBy(host => host.Key, StringComparer.Ordinal).Select(host => $"{host.Key}:{host.Value}"));

    public long UnevennessOf(WebApp app) => Evenness.Unevenness(ReplicasOf(app).Select(replica => replica.Spec.HostName).OfType<string>());

    public List<Replica> ReplicasOf(WebApp app) => World.Replicas.FindAll(replica => replica.Spec.AppName == app.Metadata.Name);

    public void SetHealth(DockerHost host, bool answers) => host.Status!.Conditions =
    [
        Condition(ConditionTypes.Ready, answers), Condition(ConditionTypes.Alive, answers),
    ];

    public override string ToString() => string.Join("; ", World.Apps.Values.Select(app => $"{app.Metadata.Name} {app.DesiredReplicas}: {Counts(app)}"));

    /// <summary>What the scheduler knows of a host is made once for each version of the object.</summary>
    private void SeeHosts()
    {
        for (var i = 0; i < World.Hosts.Count; i++)
        {
            World.Hosts[i] = new() { Metadata = World.Hosts[i].Metadata, Spec = World.Hosts[i].Spec, Status = World.Hosts[i].Status };
        }
    }

    private bool Reconcile(WebApp app)
    {
        var target = RolloutTarget.Of(app);
        var (live, lost) = View(app, target);
        live = Moves.Mark(app, target, live, lost, Time.GetUtcNow());
        var limits = RolloutLimits.Of(app) with { Returning = lost.Count(view => view is { IsReturning: true, IsOfOtherRevision: false }) };
        var plan = RolloutPlan.Make(limits, [.. live.Select(view => view.State)]).WithLost(limits.Desired, [.. lost.Select(view => view.State)]);
        Planned?.Invoke(app, limits, live, plan);
        World.Replicas.RemoveAll(replica => plan.Delete.Contains(replica.Metadata.Name));
        for (var i = 0; i < plan.Create; i++)
        {
            World.Replica(app, revision: target.Run!).Metadata.CreationTimestamp = Time.GetUtcNow().UtcDateTime;
        }

        return plan.Create > 0 || plan.Delete.Count > 0;
    }

    private (List<ReplicaView> Live, List<ReplicaView> Lost) View(WebApp app, RolloutTarget target)
    {
        var views = ReplicasOf(app).ConvertAll(replica => ReplicaView.Of(replica, app, target, HostOf(replica), false, _outages, Time.GetUtcNow()));
        return (views.FindAll(view => !view.IsLost && !view.IsReturning), views.FindAll(view => view.IsLost || view.IsReturning));
    }

    private DockerHost? HostOf(Replica replica) => World.Hosts.Find(host => host.Metadata.Name == replica.Spec.HostName);

    private V1Condition Condition(string type, bool holds) => new()
    {
        Type = type, Status = holds ? Conditions.True : Conditions.False, LastTransitionTime = Time.GetUtcNow().UtcDateTime,
    };
}
