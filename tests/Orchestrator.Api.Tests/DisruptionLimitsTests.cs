using k8s.Models;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

public sealed class DisruptionLimitsTests
{
    [Theory]
    [InlineData(null, null, 10, 2)]
    [InlineData(null, null, 3, 1)]
    [InlineData(null, null, 1, 1)]
    [InlineData("2", null, 3, 1)]
    [InlineData("5", null, 3, 0)]
    [InlineData("50%", null, 3, 1)]
    [InlineData("100%", null, 3, 0)]
    [InlineData("0", null, 3, 3)]
    [InlineData(null, "0", 3, 0)]
    [InlineData(null, "2", 3, 2)]
    [InlineData(null, "9", 3, 3)]
    [InlineData(null, "10%", 3, 1)]
    [InlineData(null, "100%", 3, 3)]
    public void So_many_of_the_wanted_ones_may_be_missing(string? available, string? unavailable, int desired, int missing)
    {
        var disruption = available is null && unavailable is null ? null : new Disruption { MinAvailable = Text(available), MaxUnavailable = Text(unavailable) };

        Assert.Equal(missing, DisruptionLimits.MaxUnavailable(new() { Spec = new() { Replicas = desired, Disruption = disruption } }));
    }

    private static IntOrString? Text(string? value) => value is null ? null : (IntOrString)value;
}
