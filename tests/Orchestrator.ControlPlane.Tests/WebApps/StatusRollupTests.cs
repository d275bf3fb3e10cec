using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.WebApps;

public sealed class StatusRollupTests
{
    private static readonly DateTimeOffset Noon = new(2025, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly RolloutTarget Wanted = new("new", "new", IsPaused: false);

    private readonly WebApp _app = new()
    {
        Metadata = new() { Name = "web", NamespaceProperty = "sites", Generation = 3 },
        Spec = new() { Replicas = 3, Image = "web:2" },
    };

    [Fact]
    public void All_ready_is_available_and_complete()
    {
        var status = Rollup(Ready("new"), Ready("new"), Ready("new"));

        Assert.Equal((3, 3, 3, "new", "new", 3L), (
            status.Replicas, status.ReadyReplicas, status.UpdatedReplicas, status.CurrentRevision, status.UpdateRevision, status.ObservedGeneration!.Value));
        Assert.Equal(("True", "MinimumReplicasAvailable", "3 of 3 replicas are ready"), Condition(status, ConditionTypes.Available));
        Assert.Equal(("True", "NewReplicasAvailable", "revision new is complete"), Condition(status, ConditionTypes.Progressing));
    }

    [Fact]
    public void The_problem_that_most_replicas_have_is_told()
    {
        var status = Rollup(Failing("ErrImagePull", "manifest unknown"), Failing("CrashLoopBackOff", "exit code 1"), Failing("ErrImagePull", "manifest unknown"));

        Assert.Equal(("False", "MinimumReplicasUnavailable", "0 of 3 replicas are ready; 2 of 3 replicas: ErrImagePull: manifest unknown"),
            Condition(status, ConditionTypes.Available));
        Assert.Equal(("True", "ReplicasUpdating", "revision new: 3 of 3 replicas updated, 0 ready; 2 of 3 replicas: ErrImagePull: manifest unknown"),
            Condition(status, ConditionTypes.Progressing));
    }

    [Fact]
    public void On_their_way_without_a_problem_they_are_only_counted() =>
        Assert.Equal("1 of 3 replicas are ready", Condition(Rollup(Ready("new"), Starting(), Starting()), ConditionTypes.Available).Message);

    [Fact]
    public void Between_two_revisions_the_current_one_stays_the_old()
    {
        _app.Status = new() { CurrentRevision = "old" };
        var status = Rollup(Ready("old"), Ready("old"), Ready("old"), Ready("new"));

        Assert.Equal((4, 4, 1, "old", "new"), (status.Replicas, status.ReadyReplicas, status.UpdatedReplicas, status.CurrentRevision, status.UpdateRevision));
        Assert.Equal(("True", "ReplicasUpdating"), (Condition(status, ConditionTypes.Progressing).Status, Condition(status, ConditionTypes.Progressing).Reason));
    }

    [Fact]
    public void A_replica_that_fails_after_the_rollout_is_no_news_of_the_rollout()
    {
        _app.Status = Rollup(Ready("new"), Ready("new"), Ready("new"));
        var status = Rollup(Ready("new"), Ready("new"), Failing("CrashLoopBackOff", "exit code 1"));

        Assert.Equal("NewReplicasAvailable", Condition(status, ConditionTypes.Progressing).Reason);
        Assert.Equal("MinimumReplicasUnavailable", Condition(status, ConditionTypes.Available).Reason);
    }

    [Fact]
    public void Scaled_up_it_progresses_again()
    {
        _app.Status = Rollup(Ready("new"), Ready("new"), Ready("new"));
        _app.Spec.Replicas = 4;

        Assert.Equal("ReplicasUpdating", Condition(Rollup(Ready("new"), Ready("new"), Ready("new"), Starting()), ConditionTypes.Progressing).Reason);
    }

    [Fact]
    public void Scaled_to_zero_it_is_available()
    {
        _app.Spec.Replicas = 0;

        Assert.Equal(("True", "MinimumReplicasAvailable", "no replicas are wanted"), Condition(Rollup(), ConditionTypes.Available));
    }

    [Fact]
    public void Another_revision_is_not_the_current_one_before_a_replica_of_it_has_run()
    {
        _app.Spec.Replicas = 0;
        _app.Status = new() { CurrentRevision = "old", UpdateRevision = "old" };
        var status = Rollup();

        Assert.Equal(("old", "new"), (status.CurrentRevision, status.UpdateRevision));
        Assert.Equal(("True", "ReplicasUpdating", "revision new is tried once replicas are wanted"), Condition(status, ConditionTypes.Progressing));

        // The first one is all there is, and going back to it is no rollout.
        _app.Status.CurrentRevision = null;
        Assert.Equal("new", Rollup().CurrentRevision);
        _app.Status.CurrentRevision = "new";
        Assert.Equal("NewReplicasAvailable", Condition(Rollup(), ConditionTypes.Progressing).Reason);
    }

    [Theory]
    [InlineData("ProgressDeadlineExceeded")]
    [InlineData("CanaryErrors")]
    [InlineData("CanaryLatency")]
    [InlineData("Aborted")]
    public void A_rollout_that_has_failed_and_is_not_taken_back_says_so(string reason)
    {
        var input = Input(Ready("old"), Ready("old"), Ready("old"), Ready("new")) with
        {
            Course = new(new() { Canary = new() { Revision = "new", Weight = 5 } }, new(reason, "too bad"), null),
        };
        _app.Spec.Strategy = new() { Type = RolloutStrategy.Canary, CanarySteps = new() { Steps = [new() { Weight = 5 }] } };

        Assert.Equal(("False", reason, "revision new: too bad"), Condition(StatusRollup.Make(input, Noon), ConditionTypes.Progressing));
    }

    [Fact]
    public void Creates_that_are_refused_stop_the_progress_and_say_why()
    {
        var status = StatusRollup.Make(Input() with { CreateFailure = "namespace sites is being terminated" }, Noon);

        Assert.Equal(("False", "FailedCreate", "namespace sites is being terminated"), Condition(status, ConditionTypes.Progressing));
    }

    [Fact]
    public void The_same_state_an_hour_later_is_the_same_status()
    {
        _app.Status = Rollup(Ready("new"), Starting(), Starting());
        var later = StatusRollup.Make(Input(Ready("new"), Starting(), Starting()), Noon.AddHours(1));

        Assert.Equal(k8s.KubernetesJson.Serialize(_app.Status), k8s.KubernetesJson.Serialize(later));
    }

    [Fact]
    public void The_route_is_a_condition_only_if_there_is_one()
    {
        Assert.Null(Conditions.Find(Rollup().Conditions, ConditionTypes.RouteAccepted));

        _app.Spec.Route = new();
        var status = StatusRollup.Make(Input() with { LostClaims = ["example.org/ is served by sites/shop"] }, Noon);
        Assert.Equal(("False", "RouteConflict", "example.org/ is served by sites/shop"), Condition(status, ConditionTypes.RouteAccepted));
    }

    [Fact]
    public void Until_the_history_has_the_revision_the_one_before_is_named()
    {
        _app.Status = new() { CurrentRevision = "old", UpdateRevision = "old" };

        Assert.Equal("old", StatusRollup.Make(Input(Ready("new")) with { IsKept = false }, Noon).UpdateRevision);
    }

    [Fact]
    public void While_it_is_deleted_nothing_is_complete_or_available_or_served()
    {
        _app.Spec.Route = new();
        _app.Status = new() { CurrentRevision = "old" };
        _app.Metadata.DeletionTimestamp = Noon.UtcDateTime;
        var status = StatusRollup.Make(Input() with { Draining = 2 }, Noon);

        Assert.Equal("old", status.CurrentRevision);
        Assert.Equal(("False", "Deleting", "the app is being deleted"), Condition(status, ConditionTypes.Available));
        Assert.Equal(("True", "Deleting", "2 replicas still to drain and stop"), Condition(status, ConditionTypes.Progressing));
        Assert.Equal(("False", "Deleting", "the app is being deleted"), Condition(status, ConditionTypes.RouteAccepted));
    }

    [Fact]
    public void A_route_that_a_proxy_cannot_listen_for_is_not_served()
    {
        _app.Spec.Route = new() { Port = 9090 };
        var input = Input() with { ListenerErrors = ["9090: Address already in use (proxy edge-1)"] };
        Assert.Equal(("False", "ListenerFailed", "9090: Address already in use (proxy edge-1)"),
            Condition(StatusRollup.Make(input, Noon), ConditionTypes.RouteAccepted));

        // Both at once: the conflict is what the user can settle.
        Assert.Equal(("False", "RouteConflict", "*:9090/ is served by sites/shop; 9090: Address already in use (proxy edge-1)"),
            Condition(StatusRollup.Make(input with { LostClaims = ["*:9090/ is served by sites/shop"] }, Noon), ConditionTypes.RouteAccepted));
    }

    [Fact]
    public void A_route_for_tcp_without_a_port_is_not_served_where_no_schema_could_refuse_it()
    {
        _app.Spec.Route = new() { Protocol = ReplicaProtocols.Tcp };

        Assert.Equal(("False", "PortMissing", "route.protocol tcp needs a route.port of the app's own"),
            Condition(StatusRollup.Make(Input(), Noon), ConditionTypes.RouteAccepted));
    }

    [Fact]
    public void A_long_problem_is_cut()
    {
        var status = Rollup(Failing("ErrImagePull", new string('x', 5000)));

        Assert.InRange(Condition(status, ConditionTypes.Available).Message.Length, 500, 600);
    }

    [Fact]
    public void Replicas_of_silent_hosts_are_told_of_while_others_are_missing()
    {
        var status = StatusRollup.Make(Input(Ready("new")) with { Lost = 2 }, Noon);

        Assert.Equal("1 of 3 replicas are ready; 2 replicas of silent hosts are being replaced", Condition(status, ConditionTypes.Available).Message);
        Assert.Equal(1, status.Replicas);
    }

    [Fact]
    public void A_host_that_is_to_be_left_makes_its_replicas_outdated()
    {
        var leaving = new DockerHost { Metadata = new() { Name = "h1", DeletionTimestamp = Noon.UtcDateTime } };
        var tainted = new DockerHost { Metadata = new() { Name = "h1" }, Spec = new() { Taints = [new V1Taint { Key = "down", Effect = Taints.NoExecute }] } };
        var replica = Replica("new", new() { Ready = true });

        Assert.True(ReplicaView.Of(replica, _app, Wanted, leaving, false, new HostOutages(() => []), Noon).Outdated);
        Assert.True(ReplicaView.Of(replica, _app, Wanted, tainted, false, new HostOutages(() => []), Noon).Outdated);
        _app.Spec.Placement = new() { Tolerations = [new V1Toleration { Key = "down", OperatorProperty = "Exists" }] };
        Assert.False(ReplicaView.Of(replica, _app, Wanted, tainted, false, new HostOutages(() => []), Noon).Outdated);

        _app.Spec.Placement.Tolerations[0].TolerationSeconds = 60;
        tainted.Spec.Taints[0].TimeAdded = Noon.AddSeconds(-20).UtcDateTime;
        var tolerated = ReplicaView.Of(replica, _app, Wanted, tainted, false, new HostOutages(() => []), Noon);
        Assert.Equal((false, TimeSpan.FromSeconds(40)), (tolerated.Outdated, tolerated.RecheckAfter));
        Assert.True(ReplicaView.Of(replica, _app, Wanted, tainted, false, new HostOutages(() => []), Noon.AddSeconds(40)).Outdated);
    }

    private static (string Status, string Reason, string Message) Condition(WebAppStatus status, string type)
    {
        var condition = Conditions.Find(status.Conditions, type)!;
        return (condition.Status, condition.Reason, condition.Message);
    }

    private static Replica Replica(string revision, ReplicaStatus? status) =>
        new() { Metadata = new() { Name = "r" }, Spec = new() { Revision = revision, HostName = "h1" }, Status = status };

    private ReplicaView Ready(string revision) => View(Replica(revision, new() { Phase = ReplicaPhases.Running, Ready = true }));

    private ReplicaView Starting() => View(Replica("new", new() { Phase = ReplicaPhases.Starting }));

    private ReplicaView Failing(string reason, string message) => View(Replica("new", new() { Phase = ReplicaPhases.BackOff, Reason = reason, Message = message }));

    private ReplicaView View(Replica replica) =>
        ReplicaView.Of(replica, _app, Wanted, new DockerHost { Metadata = new() { Name = "h1" } }, hostGone: false, new HostOutages(() => []), Noon);

    private RollupInput Input(params ReplicaView[] live) => new(_app, Wanted, live);

    private WebAppStatus Rollup(params ReplicaView[] live) => StatusRollup.Make(Input(live), Noon);
}
