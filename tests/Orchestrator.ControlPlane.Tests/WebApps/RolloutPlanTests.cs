using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.WebApps;

public sealed class RolloutPlanTests
{
    private static readonly DateTime Noon = new(2025, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    // A replica in a word: new or old, ready (R), unready (U) or broken (B), its host if it has one, its age in minutes.
    [Theory]
    [InlineData(3, "", 3, "", "nothing there: create all at once")]
    [InlineData(0, "", 0, "", "nothing wanted, nothing there")]
    [InlineData(3, "newR1 newR2 newR3", 0, "", "all is well")]
    [InlineData(3, "newR1 newU2 newU3", 0, "", "unready ones get their time")]
    [InlineData(0, "newR1 newR2 oldR3", 0, "newR2 newR1 oldR3", "scaled to zero takes all")]
    [InlineData(3, "newB1 newR2 newR3", 1, "newB1", "a broken one is replaced at once")]
    [InlineData(4, "oldR1 oldR2 oldR3 oldR4", 1, "oldR4", "a new revision: one more and one less")]
    [InlineData(4, "newU5 oldR1 oldR2 oldR3", 1, "", "no more until a new one is ready")]
    [InlineData(4, "newR5 newU6 oldR1 oldR2 oldR3", 0, "oldR3", "a ready new one lets an old one go")]
    [InlineData(4, "newR5 newR6 oldR1 oldR2", 1, "oldR2", "and so on")]
    [InlineData(1, "oldR1", 1, "", "a single replica: the new one first")]
    [InlineData(1, "newU2 oldR1", 0, "", "the old one serves until the new one is ready")]
    [InlineData(1, "newR2 oldR1", 0, "oldR1", "then it goes")]
    [InlineData(4, "newU5 newU6 oldU1 oldU2 oldU3", 0, "", "all unready: nobody knows who is at fault")]
    [InlineData(4, "oldU1 oldU2 oldR3 oldR4", 1, "oldU2", "an old unready one goes before a ready one")]
    [InlineData(2, "newR1 newR2 newR3 newU4", 0, "newU4 newR3", "scaled down: unready, then the youngest")]
    public void The_next_step(int desired, string live, int create, string delete, string why)
    {
        var plan = RolloutPlan.Make(desired, Parse(live));

        Assert.True((create, delete) == (plan.Create, string.Join(' ', plan.Delete)), $"{why}: got +{plan.Create} -[{string.Join(' ', plan.Delete)}]");
    }

    [Fact]
    public void Who_leaves_first_is_unbound_then_unready_then_from_the_fullest_host_then_the_youngest()
    {
        var live = new[]
        {
            Bound("a1", "a", age: 9), Bound("a2", "a", age: 8), Bound("a3", "a", age: 7), Bound("b1", "b", age: 1), Bound("c1", "c", age: 5),
            Bound("unready", "c", age: 99) with { Ready = false },
            new ReplicaState("unbound", false, false, false, null, Noon),
        };

        var leaving = RolloutPlan.Make(0, live).Delete;

        Assert.Equal(["unbound", "unready", "a3", "a2", "b1", "c1", "a1"], leaving);
    }

    [Fact]
    public void Old_ones_leave_first_where_new_ones_already_are()
    {
        var live = new[]
        {
            Bound("new-a", "a", age: 1), Bound("old-a", "a", age: 9) with { Outdated = true }, Bound("old-b", "b", age: 8) with { Outdated = true },
        };

        Assert.Equal(["old-a"], RolloutPlan.Make(2, live).Delete);
    }

    private static ReplicaState Bound(string name, string host, int age) => new(name, false, false, true, host, Noon - TimeSpan.FromMinutes(age));

    private static List<ReplicaState> Parse(string live) =>
        [.. live.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => new ReplicaState(
            word,
            Outdated: word.StartsWith("old", StringComparison.Ordinal),
            Broken: word[3] == 'B',
            Ready: word[3] == 'R',
            HostName: "h" + word[4..],
            CreatedAt: Noon + TimeSpan.FromMinutes(word[4] - '0')))];
}
