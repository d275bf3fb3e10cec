using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.WebApps;

public sealed class RolloutPlanTests
{
    private static readonly DateTime Noon = new(2025, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    // A replica in a word: new, old or on a host to be left (hst), ready (R), not long enough (N), unready (U) or broken (B), its host if it has one, its age in minutes.
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
        var plan = RolloutPlan.Make(Limits.Default(desired), Parse(live));

        Assert.True((create, delete) == (plan.Create, string.Join(' ', plan.Delete)), $"{why}: got +{plan.Create} -[{string.Join(' ', plan.Delete)}]");
    }

    [Theory]
    [InlineData(3, 0, 1, "oldR1 oldR2 oldR3", 0, "oldR3", "no surge: one less first")]
    [InlineData(3, 0, 1, "oldR1 oldR2", 1, "", "then its successor")]
    [InlineData(3, 0, 1, "newN4 oldR1 oldR2", 0, "", "which has to be available, not only ready")]
    [InlineData(3, 0, 1, "newR4 oldR1 oldR2", 0, "oldR2", "before the next one goes")]
    [InlineData(3, 3, 0, "oldR1 oldR2 oldR3", 3, "", "all new ones beside the old")]
    [InlineData(3, 3, 0, "newR4 newN5 newR6 oldR1 oldR2 oldR3", 0, "oldR3 oldR2", "each new one that is available lets an old one go")]
    public void The_next_step_within_limits_of_ones_own(int desired, int surge, int unavailable, string live, int create, string delete, string why)
    {
        var plan = RolloutPlan.Make(new(desired, surge, unavailable), Parse(live));

        Assert.True((create, delete) == (plan.Create, string.Join(' ', plan.Delete)), $"{why}: got +{plan.Create} -[{string.Join(' ', plan.Delete)}]");
    }

    [Theory]
    [InlineData("newR1 newR2", 0, 1, "")]
    [InlineData("newR1 newR2", 1, 0, "")]
    [InlineData("newR1 newR2 newR3", 1, 0, "")]
    [InlineData("newR1 newR2 newR3 newR4", 1, 0, "newR4")]
    public void While_replicas_may_be_back_in_a_moment_none_is_made_or_deleted_for_them(string live, int returning, int create, string delete)
    {
        var plan = RolloutPlan.Make(new(3, 1, 0) { Returning = returning }, Parse(live));

        Assert.Equal((create, delete), (plan.Create, string.Join(' ', plan.Delete)));
    }

    [Theory]
    [InlineData("newR1 newR2", 3, "", "they may be back")]
    [InlineData("newR1 newR2 newR3", 2, "newR3", "no more are wanted; the oldest have served longest")]
    [InlineData("newR1 oldR2", 3, "oldR2", "an old one would only come back to be replaced")]
    [InlineData("newR1", 0, "newR1", "none is wanted")]
    public void What_an_outage_has_taken_away_is_kept_as_far_as_it_could_serve_again(string lost, int desired, string delete, string why)
    {
        var plan = new RolloutPlan(0, []).WithLost(desired, Parse(lost));

        Assert.True(delete == string.Join(' ', plan.Delete), $"{why}: got -[{string.Join(' ', plan.Delete)}]");
    }

    [Theory]
    [InlineData("oldR1 oldR2", false, 0, "oldR2 oldR1", "all old ones go")]
    [InlineData("", true, 0, "", "nothing starts while one of them still stops")]
    [InlineData("", false, 2, "", "then all new ones start")]
    [InlineData("newR3 oldR1", false, 0, "oldR1", "both at once, after a change of strategy: the old one goes")]
    public void Recreate_stops_all_old_ones_before_a_new_one_starts(string live, bool othersStop, int create, string delete, string why)
    {
        var plan = RolloutPlan.Make(Limits.Default(2) with { Recreate = true, OthersStop = othersStop }, Parse(live));

        Assert.True((create, delete) == (plan.Create, string.Join(' ', plan.Delete)), $"{why}: got +{plan.Create} -[{string.Join(' ', plan.Delete)}]");
    }

    [Fact]
    public void Recreate_is_about_revisions_a_host_is_left_with_the_new_replica_first()
    {
        var live = new[] { Bound("a", "a", age: 2) with { Outdated = true }, Bound("b", "b", age: 1) };

        var plan = RolloutPlan.Make(Limits.Default(2) with { Recreate = true }, live);

        Assert.Equal((1, 0), (plan.Create, plan.Delete.Count));
    }

    [Theory]
    [InlineData(4, 1, 2, 9, "newR1 newR2 newR3 hstR4", 1, "", "the new one first, although some might be missing")]
    [InlineData(4, 1, 2, 9, "newR1 newR2 hstR3 hstR4", 1, "", "no more at once than the surge")]
    [InlineData(4, 1, 2, 9, "newR1 newR2 newU5 hstR3 hstR4", 0, "", "it serves until the new one does")]
    [InlineData(4, 1, 2, 9, "newR1 newR2 newR5 hstR3 hstR4", 0, "hstR4", "then it goes")]
    [InlineData(4, 1, 2, 9, "newR1 newU2 newR3 hstR4 hstR5", 0, "", "another that is not ready counts as missing")]
    [InlineData(4, 0, 2, 9, "newR1 newR2 hstR3 hstR4", 0, "hstR4 hstR3", "without a surge some go first")]
    [InlineData(4, 0, 2, 1, "newR1 newR2 hstR3 hstR4", 0, "hstR4", "no more than may be disrupted")]
    [InlineData(4, 0, 2, 0, "newR1 newR2 hstR3 hstR4", 0, "", "none may")]
    [InlineData(4, 0, 2, 1, "newR1 oldR2 oldR3 hstR4", 0, "hstR4 oldR3", "a rollout has its own limits")]
    public void A_host_is_left_the_new_replica_first(
        int desired, int surge, int unavailable, int disrupted, string live, int create, string delete, string why)
    {
        var plan = RolloutPlan.Make(new(desired, surge, unavailable) { MaxDisrupted = disrupted }, Parse(live));

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

        var leaving = RolloutPlan.Make(Limits.Default(0), live).Delete;

        Assert.Equal(["unbound", "unready", "a3", "a2", "b1", "c1", "a1"], leaving);
    }

    [Fact]
    public void Old_ones_leave_first_where_new_ones_already_are()
    {
        var live = new[]
        {
            Bound("new-a", "a", age: 1), Bound("old-a", "a", age: 9) with { Outdated = true }, Bound("old-b", "b", age: 8) with { Outdated = true },
        };

        Assert.Equal(["old-a"], RolloutPlan.Make(Limits.Default(2), live).Delete);
    }

    private static ReplicaState Bound(string name, string host, int age) =>
        new(name, false, false, true, host, Noon - TimeSpan.FromMinutes(age)) { Available = true };

    private static List<ReplicaState> Parse(string live) =>
        [.. live.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => new ReplicaState(
            word,
            Outdated: !word.StartsWith("new", StringComparison.Ordinal),
            Broken: word[3] == 'B',
            Ready: word[3] is 'R' or 'N',
            HostName: "h" + word[4..],
            CreatedAt: Noon + TimeSpan.FromMinutes(word[4] - '0'))
            {
                Available = word[3] == 'R',
                IsOfOtherRevision = word.StartsWith("old", StringComparison.Ordinal),
            })];
}
