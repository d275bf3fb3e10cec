using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

public sealed class DesiredReplicasTests
{
    [Theory]
    [InlineData(null, 1)]
    [InlineData(0, 0)]
    [InlineData(7, 7)]
    public void Without_autoscaling_it_is_what_the_user_says(int? replicas, int desired) => Assert.Equal(
        desired,
        new WebApp { Spec = new() { Replicas = replicas }, Status = new() { DesiredReplicas = 3, Autoscaling = new() { DesiredReplicas = 4 } } }.DesiredReplicas);

    [Theory]
    [InlineData(7, 3, 4, 4)]
    [InlineData(7, 3, null, 3)] // Turned on a moment ago: as many as there were to be.
    [InlineData(4, null, null, 4)]
    [InlineData(null, null, null, 2)]
    [InlineData(null, 3, 9, 5)]
    [InlineData(null, 3, 0, 2)]
    public void With_autoscaling_it_is_what_that_has_come_to_within_its_bounds(int? replicas, int? before, int? scaled, int desired) => Assert.Equal(
        desired,
        new WebApp
        {
            Spec = new() { Replicas = replicas, Autoscaling = new() { MinReplicas = 2, MaxReplicas = 5 } },
            Status = new() { DesiredReplicas = before, Autoscaling = scaled is { } count ? new() { DesiredReplicas = count } : null },
        }.DesiredReplicas);

    [Theory]
    [InlineData(8, 5, 5)]
    [InlineData(3, 0, 0)]
    public void Bounds_that_a_server_without_our_rules_has_stored_are_no_fault(int min, int max, int desired) => Assert.Equal(
        desired, new WebApp { Spec = new() { Replicas = 9, Autoscaling = new() { MinReplicas = min, MaxReplicas = max } } }.DesiredReplicas);
}
