using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.ControlPlane.WebApps.Contents;

namespace Orchestrator.ControlPlane.Tests.WebApps;

public sealed class RolloutTargetTests
{
    private readonly WebApp _app = new() { Spec = new() { Image = "web:2" } };

    private string Asked => RevisionHash.Of(_app.Spec);

    [Fact]
    public void What_is_asked_for_is_run_and_replaces_all_else()
    {
        var target = RolloutTarget.Of(_app);

        Assert.Equal((Asked, Asked, false), (target.Update, target.Run, target.IsRolledBack));
        Assert.True(target.Replaces("old"));
        Assert.False(target.Replaces(Asked));
    }

    [Fact]
    public void What_has_failed_is_replaced_by_the_stable_revision()
    {
        _app.Status = new() { CurrentRevision = "stable", UpdateRevision = Asked, FailedRollout = new() { Revision = Asked } };
        var target = RolloutTarget.Of(_app);

        Assert.Equal((Asked, "stable", true), (target.Update, target.Run, target.IsRolledBack));
        Assert.True(target.Replaces(Asked));
        Assert.False(target.Replaces("stable"));
    }

    [Fact]
    public void Another_template_than_the_failed_one_is_tried()
    {
        _app.Status = new() { CurrentRevision = "stable", UpdateRevision = "failed", FailedRollout = new() { Revision = "failed" } };

        Assert.Equal(Asked, RolloutTarget.Of(_app).Run);
    }

    [Fact]
    public void Paused_nothing_is_replaced_and_what_is_missing_is_made_of_the_stable_revision()
    {
        _app.Spec.Paused = true;
        _app.Status = new() { CurrentRevision = "stable", UpdateRevision = "newer" };
        var target = RolloutTarget.Of(_app);

        Assert.Equal(("newer", "stable"), (target.Update, target.Run));
        Assert.False(target.Replaces("newer") || target.Replaces("stable") || target.Replaces(Asked));
    }

    [Fact]
    public void Paused_before_the_first_rollout_nothing_is_run()
    {
        _app.Spec.Paused = true;

        Assert.Null(RolloutTarget.Of(_app).Run);
    }

    [Fact]
    public void With_content_the_revision_is_that_of_template_and_content()
    {
        var target = RolloutTarget.Of(_app, new AppContent("live", "asked", null));

        Assert.Equal(RevisionHash.Of(_app.Spec.ToTemplate("asked")), target.Update);
        Assert.Equal("asked", target.Template!.ContentHash);
        Assert.NotEqual(Asked, target.Update);
    }

    [Fact]
    public void While_content_is_missing_nothing_is_replaced_and_what_is_missing_is_made_of_the_stable_revision()
    {
        _app.Status = new() { CurrentRevision = "stable", UpdateRevision = "newer" };
        var target = RolloutTarget.Of(_app, Missing);

        Assert.Equal(("newer", "stable"), (target.Update, target.Run));
        Assert.False(target.Replaces("newer") || target.Replaces("stable"));
        Assert.Equal(Missing.Problem, target.Problem);
    }

    [Fact]
    public void While_the_content_of_a_new_app_is_missing_nothing_is_run()
    {
        var target = RolloutTarget.Of(_app, Missing);

        Assert.Equal((null, null), (target.Update, target.Run));
    }

    [Fact]
    public void What_has_failed_is_taken_back_also_when_content_is_missing_now()
    {
        _app.Status = new() { CurrentRevision = "stable", UpdateRevision = "failed", FailedRollout = new() { Revision = "failed" } };
        var target = RolloutTarget.Of(_app, Missing);

        Assert.Equal(("failed", "stable"), (target.Update, target.Run));
        Assert.True(target.Replaces("failed"));
    }

    [Fact]
    public void A_canary_without_steps_is_no_rolling_update_of_everything()
    {
        _app.Status = new() { CurrentRevision = "stable", UpdateRevision = "stable" };
        _app.Spec.Strategy = new() { Type = RolloutStrategy.Canary };
        var target = RolloutTarget.Of(_app);

        Assert.Equal(("stable", "stable", "InvalidStrategy"), (target.Update, target.Run, target.Problem?.Reason));
        Assert.False(target.Replaces("stable"));

        _app.Spec.Strategy.CanarySteps = new() { Steps = [new() { Weight = 5 }] };
        Assert.Equal((null, Asked), (RolloutTarget.Of(_app).Problem, RolloutTarget.Of(_app).Canary));
    }

    private static AppContent Missing => new(null, null, new("ConfigurationNotFound", "ConfigMap \"x\" not found"));
}
