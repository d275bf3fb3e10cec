using k8s.Models;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

public sealed class RollingUpdateLimitsTests
{
    [Theory]
    [InlineData(null, null, 10, 3, 2)]
    [InlineData(null, null, 1, 1, 0)]
    [InlineData("1", "0", 10, 1, 0)]
    [InlineData("0", "1", 10, 0, 1)]
    [InlineData("10%", "10%", 25, 3, 2)]
    [InlineData("100%", "0%", 4, 4, 0)]
    public void A_surge_is_rounded_up_and_what_may_be_missing_down(string? surge, string? unavailable, int desired, int most, int missing) =>
        Assert.Equal((most, missing), RollingUpdateLimits.Of(new() { MaxSurge = Text(surge), MaxUnavailable = Text(unavailable) }, desired));

    [Fact]
    public void Where_both_come_to_nothing_one_may_be_missing() =>
        Assert.Equal((0, 1), RollingUpdateLimits.Of(new() { MaxSurge = Text("0"), MaxUnavailable = Text("25%") }, 3));

    [Fact]
    public void Without_limits_they_are_Kubernetes_defaults() => Assert.Equal((2, 1), RollingUpdateLimits.Of(null, 5));

    private static IntOrString? Text(string? value) => value is null ? null : (IntOrString)value;
}
