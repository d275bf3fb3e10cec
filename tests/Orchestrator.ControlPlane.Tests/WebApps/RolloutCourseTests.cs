using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.WebApps;

public sealed class RolloutCourseTests
{
    private static readonly DateTimeOffset Noon = new(2025, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly WebApp _app = new()
    {
        Metadata = new() { Name = "web", NamespaceProperty = "sites" },
        Spec = new() { Replicas = 3, Image = "web:2", ProgressDeadlineSeconds = 60 },
        Status = new() { CurrentRevision = "old" },
    };

    private string Revision => RevisionHash.Of(_app.Spec);

    [Fact]
    public void A_revision_that_was_complete_once_is_no_rollout_any_more()
    {
        _app.Status!.CurrentRevision = Revision;

        Assert.Null(Look(0, Starting()).Progress);
        Assert.Null(Look(9999, Failing("CrashLoopBackOff")).Failure);
    }

    [Fact]
    public void One_that_was_taken_back_is_none_either()
    {
        _app.Status!.FailedRollout = new() { Revision = Revision };

        Assert.Equal(new RolloutCourse(null, null, null), Look(0, Starting()));
    }

    [Fact]
    public void Only_more_replicas_at_once_than_ever_before_are_progress()
    {
        Assert.Equal((0, 0), Progressed(0, Starting()));
        Assert.Equal((1, 10), Progressed(10, Ready(), Starting()));
        Assert.Equal((1, 10), Progressed(20, Starting(), Starting()));
        Assert.Equal((1, 10), Progressed(30, Ready(), Starting()));
        Assert.Equal((2, 40), Progressed(40, Ready(), Ready()));
        Assert.Equal(Noon.UtcDateTime, _app.Status!.Rollout!.StartedAt);
    }

    [Fact]
    public void Without_progress_for_so_long_it_has_failed_and_says_what_is_in_the_way()
    {
        Take(Look(0, Ready(), Unready("HTTP probe failed with statuscode: 503")));
        Assert.Equal(TimeSpan.FromSeconds(1), Look(59, Ready(), Unready("HTTP probe failed with statuscode: 503")).RecheckAfter);

        Assert.Equal(
            new RolloutFailure("ProgressDeadlineExceeded", "no further replica became available for 60 s; r: NotYetReady: HTTP probe failed with statuscode: 503"),
            Look(60, Ready(), Unready("HTTP probe failed with statuscode: 503")).Failure);
    }

    [Theory]
    [InlineData("CrashLoopBackOff")]
    [InlineData("ImagePullBackOff")]
    [InlineData("ErrImageNeverPull")]
    public void What_keeps_failing_need_not_wait_for_the_deadline(string reason) =>
        Assert.Equal(new RolloutFailure(reason, $"r: {reason}: exit code 1"), Look(0, Failing(reason)).Failure);

    [Fact]
    public void Where_one_that_keeps_failing_is_not_taken_back_the_deadline_comes_all_the_same()
    {
        Take(Look(0, Failing("CrashLoopBackOff")));
        var failing = Look(20, Failing("CrashLoopBackOff"));
        Assert.Equal(("CrashLoopBackOff", false, TimeSpan.FromSeconds(40)), (failing.Failure!.Reason, failing.Failure.IsFinal, failing.RecheckAfter));

        var late = Look(60, Failing("CrashLoopBackOff")).Failure!;
        Assert.Equal(new RolloutFailure("ProgressDeadlineExceeded", "no further replica became available for 60 s; r: CrashLoopBackOff: exit code 1"), late);
        Assert.True(late.IsFinal);
    }

    [Fact]
    public void Where_no_replicas_are_wanted_there_is_nothing_to_be_late_with()
    {
        _app.Spec.Replicas = 0;
        Take(Look(0));

        Assert.Equal((null, null), (Look(1000).Failure, Look(1000).Progress!.ProgressedAt));
    }

    [Theory]
    [InlineData("ErrImagePull")]
    [InlineData("EngineUnavailable")]
    [InlineData("PortUnavailable")]
    public void What_may_be_better_in_a_moment_is_given_it(string reason) => Assert.Null(Look(0, Failing(reason)).Failure);

    [Fact]
    public void One_failing_beside_one_that_serves_may_be_the_fault_of_its_host() =>
        Assert.Null(Look(0, Ready(), Failing("CrashLoopBackOff")).Failure);

    [Fact]
    public void Restarts_of_one_that_was_never_available_are_failures_however_long_it_runs_in_between()
    {
        _app.Spec.MinReadySeconds = 30;
        var status = new ReplicaStatus { Phase = ReplicaPhases.Running, Ready = true, Restarts = 1, LastTermination = new() { ExitCode = 7 } };
        Assert.Null(Look(100, View(status)).Failure);

        status.Restarts = 2;
        Assert.Null(Look(14, View(status)).Failure);
        Assert.Equal(
            new RolloutFailure("KeepsRestarting", "r: restarted 2 times before it was available, last with exit code 7"), Look(15, View(status)).Failure);

        status.LastTermination!.Message = "no database";
        Assert.EndsWith("exit code 7; its last words: no database", Look(15, View(status)).Failure?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_container_that_cannot_be_started_is_tried_twice()
    {
        Assert.Equal((null, TimeSpan.FromSeconds(5)), (Look(10, Failing("RunContainerError")).Failure, Look(10, Failing("RunContainerError")).RecheckAfter));
        Assert.Equal("RunContainerError", Look(15, Failing("RunContainerError")).Failure?.Reason);
    }

    [Fact]
    public void In_a_pause_the_clock_stands_and_begins_anew_after_it()
    {
        Take(Look(0, Starting()));
        _app.Spec.Paused = true;
        var paused = Look(1000, Starting());
        Assert.Equal((null, null, null), (paused.Progress!.ProgressedAt, paused.Failure, paused.RecheckAfter));

        Take(paused);
        _app.Spec.Paused = null;
        Assert.Equal((0, 2000), Progressed(2000, Starting()));
    }

    [Fact]
    public void While_old_ones_have_still_to_stop_the_new_ones_are_not_to_blame()
    {
        Take(Look(0));
        var waiting = RolloutCourse.Of(_app, RolloutTarget.Of(_app), [], canary: null, othersStop: true, Noon.AddSeconds(1000));

        Assert.Equal((null, null), (waiting.Failure, waiting.Progress!.ProgressedAt));
    }

    private (int Most, int At) Progressed(int second, params ReplicaView[] live)
    {
        Take(Look(second, live));
        return (_app.Status!.Rollout!.MostAvailable, (int)(_app.Status.Rollout.ProgressedAt!.Value - Noon.UtcDateTime).TotalSeconds);
    }

    private RolloutCourse Look(int second, params ReplicaView[] live) =>
        RolloutCourse.Of(_app, RolloutTarget.Of(_app), live, canary: null, othersStop: false, Noon.AddSeconds(second));

    /// <summary>It is in the status, as the controller leaves it.</summary>
    private void Take(RolloutCourse course) => (_app.Status!.Rollout, _app.Status.UpdateRevision) = (course.Progress, Revision);

    private ReplicaView Starting() => View(new() { Phase = ReplicaPhases.Starting });

    private ReplicaView Ready() => View(new() { Phase = ReplicaPhases.Running, Ready = true });

    private ReplicaView Unready(string message) => View(new()
    {
        Phase = ReplicaPhases.Running,
        Conditions = [new V1Condition { Type = ConditionTypes.Ready, Status = Conditions.False, Reason = "NotYetReady", Message = message }],
    });

    private ReplicaView Failing(string reason) => View(new() { Phase = ReplicaPhases.BackOff, Reason = reason, Message = "exit code 1" });

    private ReplicaView View(ReplicaStatus status)
    {
        var replica = new Replica
        {
            Metadata = new() { Name = "r", CreationTimestamp = Noon.UtcDateTime }, Spec = new() { Revision = Revision }, Status = status,
        };
        return ReplicaView.Of(replica, _app, RolloutTarget.Of(_app), null, hostGone: false, new HostOutages(() => []), Noon);
    }
}
