using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.ControlPlane.WebApps.Contents;

namespace Orchestrator.ControlPlane.Tests.WebApps;

public sealed class CanaryCourseTests
{
    private static readonly DateTimeOffset Noon = new(2025, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly WebApp _app = new()
    {
        Metadata = new() { Name = "web", NamespaceProperty = "sites" },
        Spec = new()
        {
            Replicas = 10,
            Image = "web:2",
            Strategy = new()
            {
                Type = RolloutStrategy.Canary,
                CanarySteps = new() { Steps = [new() { Weight = 5, DurationSeconds = 60 }, new() { Weight = 25 }, new() { Weight = 50, DurationSeconds = 10 }] },
            },
        },
        Status = new() { CurrentRevision = "old" },
    };

    private string Revision => RevisionHash.Of(_app.Spec);

    [Fact]
    public void A_first_revision_is_no_canary_nor_is_one_that_is_taken_back_or_wants_no_replicas()
    {
        _app.Status!.CurrentRevision = null;
        Assert.Null(Look(0, 0));

        _app.Status = new() { CurrentRevision = "old", FailedRollout = new() { Revision = Revision } };
        Assert.Null(Look(0, 0));

        _app.Status.FailedRollout = null;
        _app.Spec.Replicas = 0;
        Assert.Null(Look(0, 0));
    }

    [Fact]
    public void It_gets_its_share_once_it_has_the_replicas_for_it()
    {
        Assert.Equal((0, 0, 1), Stands(0, available: 0));
        Assert.Equal((0, 5, 1), Stands(7, available: 1));
        Assert.Equal(Noon.AddSeconds(7).UtcDateTime, _app.Status!.Rollout!.Canary!.WeightSince);
    }

    [Fact]
    public void A_step_with_a_duration_ends_by_itself_and_the_share_stays_until_the_next_step_has_its_replicas()
    {
        Stands(0, available: 1);
        Assert.Equal(TimeSpan.FromSeconds(1), Look(59, 1)!.RecheckAfter);
        Assert.Equal((1, 5, 3), Stands(60, available: 1));
        Assert.False(Look(60, 1)!.Waits);
        Assert.Equal((1, 25, 3), Stands(70, available: 3));
    }

    [Fact]
    public void A_step_without_one_waits_for_its_promotion()
    {
        Reach(step: 1, weight: 25);
        var waiting = Look(9999, 3)!;
        Assert.Equal((1, true, null), (waiting.Progress.Step, waiting.Waits, waiting.RecheckAfter));

        Ask(Annotations.Promote, $"{Revision}/1");
        Assert.Equal((2, 25, 5), Stands(10000, available: 3));

        // Said once, it is about that one step.
        Assert.Equal((2, 50, 5), Stands(10001, available: 5));
    }

    [Fact]
    public void After_the_last_step_all_replicas_share_alike()
    {
        Reach(step: 2, weight: 50);
        var (step, weight, wanted) = Stands(10, available: 5);
        Assert.Equal((3, null, 5), (step, weight, wanted));
        Assert.False(CanaryCourse.IsOnTrial(_app, Revision));
        Assert.Null(RolloutTarget.Of(_app).Canary);
    }

    [Fact]
    public void After_a_step_of_everything_the_old_ones_get_nothing_back()
    {
        _app.Spec.Strategy!.CanarySteps!.Steps = [new() { Weight = 100 }];
        Reach(step: 0, weight: 100);
        Ask(Annotations.Promote, $"{Revision}/0");

        Assert.Equal((1, 100, 10), Stands(10, available: 10));
    }

    [Fact]
    public void All_steps_can_be_passed_at_once()
    {
        Ask(Annotations.Promote, $"{Revision}/all");

        Assert.Equal((3, null, 5), Stands(0, available: 0));
    }

    [Theory]
    [InlineData("old/0")]
    [InlineData("0")]
    [InlineData("")]
    [InlineData("REVISION/1")]
    [InlineData("REVISION/-1")]
    [InlineData("REVISION/all/0")]
    public void What_is_asked_for_another_revision_or_step_or_says_nothing_changes_nothing(string text)
    {
        Ask(Annotations.Promote, text.Replace("REVISION", Revision, StringComparison.Ordinal));

        Assert.Equal((0, 5, 1), Stands(0, available: 1));
        Assert.Equal([Annotations.Promote], RolloutCommands.Spent(_app, RolloutTarget.Of(_app)));
    }

    [Fact]
    public void What_is_asked_for_stays_until_it_was_done()
    {
        Reach(step: 1, weight: 25);
        Ask(Annotations.Promote, $"{Revision}/1");
        Assert.Empty(RolloutCommands.Spent(_app, RolloutTarget.Of(_app)));

        Stands(0, available: 3);
        Assert.Equal([Annotations.Promote], RolloutCommands.Spent(_app, RolloutTarget.Of(_app)));
    }

    [Fact]
    public void Giving_up_stays_until_it_is_written_down_and_is_about_that_one_rollout()
    {
        Ask(Annotations.Abort, Revision);
        Assert.Equal("Aborted", Course(0, 0).Failure?.Reason);
        Assert.Empty(RolloutCommands.Spent(_app, RolloutTarget.Of(_app)));

        _app.Status!.FailedRollout = new() { Revision = Revision };
        Assert.Equal([Annotations.Abort], RolloutCommands.Spent(_app, RolloutTarget.Of(_app)));

        _app.Status = new() { CurrentRevision = Revision };
        Assert.Equal([Annotations.Abort], RolloutCommands.Spent(_app, RolloutTarget.Of(_app)));
    }

    [Fact]
    public void In_a_pause_it_stays_where_it_is()
    {
        Reach(step: 0, weight: 5);
        _app.Status!.UpdateRevision = Revision;
        _app.Spec.Paused = true;

        Assert.Equal((0, 5, 1), Stands(9999, available: 1));
        Assert.Equal(Revision, RolloutTarget.Of(_app).Canary);
    }

    [Fact]
    public void While_it_waits_the_deadline_does_not_come_nearer_and_while_it_grows_it_does()
    {
        _app.Spec.ProgressDeadlineSeconds = 30;
        Take(Course(0, available: 1));
        Assert.Null(_app.Status!.Rollout!.ProgressedAt);
        Assert.Null(Course(59, available: 1).Failure);

        Take(Course(60, available: 1));
        Assert.Null(Course(89, available: 1).Failure);
        Assert.Equal("ProgressDeadlineExceeded", Course(90, available: 1).Failure?.Reason);
    }

    [Fact]
    public void Doing_worse_than_the_stable_revision_is_its_failure()
    {
        _app.Spec.Strategy!.CanarySteps!.Analysis = new();
        Reach(step: 0, weight: 5);
        var failing = Failing(second: 0);

        Assert.Equal(("CanaryErrors", "new: 100 requests, 50 % failed; stable: 1000 requests, 0 % failed"), (failing.Failure?.Reason, failing.Progress.Analysis));
    }

    [Fact]
    public void Doing_worse_and_not_taken_back_it_gets_no_more_by_time_alone()
    {
        _app.Spec.Strategy!.CanarySteps!.Analysis = new();
        Reach(step: 0, weight: 5);
        Assert.Equal((0, 5), StepOf(Failing(second: 9999)));

        Ask(Annotations.Promote, $"{Revision}/0");
        Assert.Equal((1, 25), StepOf(Failing(second: 9999)));

        static (int, int?) StepOf(CanaryCourse course) => (course.Progress.Step, course.Progress.Weight);
    }

    [Fact]
    public void That_something_it_refers_to_is_missing_is_no_reason_to_go_on_with_one_that_does_worse_but_a_pause_is()
    {
        _app.Spec.Strategy!.CanarySteps!.Analysis = new();
        Reach(step: 0, weight: 5);
        _app.Status!.UpdateRevision = Revision;
        Assert.Equal("CanaryErrors", Failing(second: 1, AppContent.Unknown).Failure?.Reason);

        _app.Spec.Paused = true;
        Assert.Null(Failing(second: 1, AppContent.Unknown).Failure);
    }

    [Fact]
    public void What_was_seen_is_not_said_of_a_share_that_has_just_begun()
    {
        Reach(step: 1, weight: 5);
        var grown = CanaryCourse.Of(_app, RolloutTarget.Of(_app), Live(3), new(Counts(1000, 0), Counts(100, 0)), Noon.AddSeconds(1))!;

        Assert.Equal((25, null), (grown.Progress.Weight, grown.Progress.Analysis));
    }

    private CanaryCourse Failing(int second, AppContent? content = null) => CanaryCourse.Of(
        _app, RolloutTarget.Of(_app, content), Live(3), new(Counts(1000, 0), Counts(100, 50)), Noon.AddSeconds(second))!;

    private static RequestCounts Counts(long requests, long errors) => new(requests, errors, []);

    private void Ask(string annotation, string text) => _app.Metadata.Annotations = new Dictionary<string, string> { [annotation] = text };

    private void Reach(int step, int weight) => _app.Status!.Rollout = new()
    {
        StartedAt = Noon.UtcDateTime,
        Canary = new() { Revision = Revision, Step = step, Weight = weight, WeightSince = Noon.UtcDateTime },
    };

    /// <summary>Looks, and takes what it saw into the status, as the controller leaves it.</summary>
    private (int Step, int? Weight, int Wanted) Stands(int second, int available)
    {
        var course = Look(second, available)!;
        (_app.Status!.Rollout ??= new()).Canary = course.Progress;
        return (course.Progress.Step, course.Progress.Weight, course.ReplicasWanted(_app));
    }

    private CanaryCourse? Look(int second, int available) =>
        CanaryCourse.Of(_app, RolloutTarget.Of(_app), Live(available), CanaryCounts.None, Noon.AddSeconds(second));

    private RolloutCourse Course(int second, int available) =>
        RolloutCourse.Of(_app, RolloutTarget.Of(_app), Live(available), Look(second, available), othersStop: false, Noon.AddSeconds(second));

    private void Take(RolloutCourse course) => (_app.Status!.Rollout, _app.Status.UpdateRevision) = (course.Progress, Revision);

    private ReplicaView[] Live(int available) => [.. Enumerable.Range(0, available).Select(i =>
    {
        var replica = new Replica
        {
            Metadata = new() { Name = $"r{i}", CreationTimestamp = Noon.UtcDateTime },
            Spec = new() { Revision = Revision },
            Status = new() { Phase = ReplicaPhases.Running, Ready = true },
        };
        return ReplicaView.Of(replica, _app, RolloutTarget.Of(_app), null, hostGone: false, new HostOutages(() => []), Noon);
    })];
}
