using k8s.Models;

namespace Orchestrator.Api.Tests;

public sealed class ConditionsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, 500, TimeSpan.Zero);

    [Theory]
    [InlineData(true, "True")]
    [InlineData(false, "False")]
    [InlineData(null, "Unknown")]
    public void A_condition_holds_or_does_not_or_is_not_known(bool? holds, string status) =>
        Assert.Equal(status, Next(null, holds, Noon).Status);

    [Fact]
    public void The_time_of_a_transition_has_whole_seconds() =>
        Assert.Equal(new DateTime(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc), Next(null, true, Noon).LastTransitionTime);

    [Fact]
    public void The_time_stays_while_the_status_does()
    {
        var before = Next(null, true, Noon);

        var after = Next([before], true, Noon.AddHours(1), "AnotherReason");

        Assert.Equal(before.LastTransitionTime, after.LastTransitionTime);
        Assert.Equal("AnotherReason", after.Reason);
    }

    [Fact]
    public void The_time_moves_with_the_status() =>
        Assert.Equal(Noon.AddHours(1).UtcDateTime.AddMilliseconds(-500), Next([Next(null, true, Noon)], false, Noon.AddHours(1)).LastTransitionTime);

    private static V1Condition Next(IEnumerable<V1Condition>? before, bool? holds, DateTimeOffset now, string reason = "Reason") =>
        Conditions.Next(before, ConditionTypes.Ready, holds, reason, "message", generation: 1, now);
}
