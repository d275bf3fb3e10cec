using Orchestrator.ControlPlane.Autoscaling;

namespace Orchestrator.ControlPlane.Tests.Autoscaling;

public sealed class FloorTests
{
    private static readonly Api.WebApps.Autoscaling Autoscaling = new()
    {
        MinReplicas = 2,
        MaxReplicas = 8,
        Schedules =
        [
            new() { Start = "0 8 * * *", End = "0 18 * * *", MinReplicas = 5 },
            new() { Start = "0 12 * * *", End = "0 13 * * *", MinReplicas = 20 },
            new() { Start = "0 8 * * *", End = "0 18 * * *", MinReplicas = 1 },
            new() { Start = "whenever", End = "0 18 * * *", MinReplicas = 7 },
        ],
    };

    [Theory]
    [InlineData(7, 2, "minReplicas")]
    [InlineData(9, 5, "schedules[0]")]
    [InlineData(12, 8, "schedules[1]")] // Never above maxReplicas.
    public void Of_several_the_highest_counts(int hour, int replicas, string cause) =>
        Assert.Equal(new Floor(replicas, cause), Floor.Of(Autoscaling, new(2026, 11, 25, hour, 0, 0, TimeSpan.Zero)));

    [Fact]
    public void A_floor_brings_replicas_whatever_metrics_say()
    {
        var decision = ScaleDecision.Make(new(
            3, new(5, "schedules[0]"), 8, [Proposal.Unknown("inFlight", AutoscalingReasons.FailedGetTraffic, "unknown")], Behavior: null, History: null, TimeSpan.FromHours(1)));

        Assert.Equal((5, "there were fewer than schedules[0] wants, 5"), (decision.Desired, decision.Cause));
    }

    [Fact]
    public void One_that_cannot_be_read_is_told() => Assert.Equal(
        ["spec.autoscaling.schedules[3].start must be a cron expression of five fields: minute, hour, day of month, month, day of week"], Floor.Faults(Autoscaling));
}
