using CsCheck;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.WebApps;

/// <summary>What holds in every situation, for any strategy and any course of events.</summary>
public sealed class RolloutPlanProperties
{
    private static readonly DateTime Noon = new(2025, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    private static readonly Gen<ReplicaState[]> Worlds =
        Gen.Select(Gen.Int[0, 2], Gen.Frequency((9, Gen.Const(false)), (1, Gen.Const(true))), Gen.Int[0, 2], Gen.Int[0, 4], Gen.Int[0, 60])
            .Select((age, broken, readiness, host, minutes) =>
            {
                var ready = readiness > 0 && !broken && host > 0;
                return new ReplicaState("", age > 0, broken, ready, host == 0 ? null : $"h{host}", Noon.AddMinutes(-minutes))
                {
                    Available = ready && readiness > 1,
                    IsOfOtherRevision = age > 1,
                };
            })
            .Array[0, 24]
            .Select(replicas => replicas.Select((replica, i) => replica with { Name = $"r{i}" }).ToArray());

    /// <summary>Never both 0: that is made 1 before a plan sees it.</summary>
    private static readonly Gen<RolloutLimits> Rolling =
        Gen.Select(Gen.Int[0, 20], Gen.Int[0, 6], Gen.Int[0, 6])
            .Select((desired, surge, unavailable) => new RolloutLimits(desired, surge, surge == 0 && unavailable == 0 ? 1 : unavailable));

    /// <summary>Where nothing may be disrupted nor surge, no host is ever left: that is not arrived at.</summary>
    private static readonly Gen<RolloutLimits> Any =
        Gen.Select(Rolling, Gen.Bool, Gen.Bool, Gen.Int[1, 6]).Select((limits, recreate, stop, disrupted) =>
            limits with { Recreate = recreate, OthersStop = recreate && stop, MaxDisrupted = disrupted });

    [Fact]
    public void Never_more_than_wanted_and_the_surge() => Gen.Select(Any, Worlds).Sample((limits, live) =>
    {
        var plan = RolloutPlan.Make(limits, live);
        var before = live.Count(replica => !replica.Broken);
        Assert.True(before + plan.Create <= Math.Max(before, limits.Desired + limits.MaxSurge));
    });

    [Fact]
    public void Never_a_surge_without_anything_to_replace() => Gen.Select(Rolling, Worlds).Sample((limits, live) =>
    {
        var current = live.Select(replica => replica with { Outdated = false, IsOfOtherRevision = false }).ToList();
        var plan = RolloutPlan.Make(limits, current);
        Assert.Equal(limits.Desired, current.Count + plan.Create - plan.Delete.Count);
    });

    [Fact]
    public void Never_fewer_ready_than_wanted_less_what_may_be_missing_by_our_own_deletions() => Gen.Select(Rolling, Worlds).Sample((limits, live) =>
    {
        var plan = RolloutPlan.Make(limits, live);
        var ready = live.Where(replica => replica.Ready).Select(replica => replica.Name).ToHashSet();
        var left = ready.Count - plan.Delete.Count(ready.Contains);
        Assert.True(left >= Math.Min(ready.Count, limits.Desired - limits.MaxUnavailable));
    });

    [Fact]
    public void Leaving_hosts_makes_no_more_missing_than_may_be_disrupted_and_none_where_the_new_one_can_start_first() =>
        Gen.Select(Rolling, Gen.Int[0, 6], Worlds).Sample((limits, disrupted, world) =>
        {
            var live = world.Select(replica => replica with { IsOfOtherRevision = false }).ToList();
            var gone = RolloutPlan.Make(limits with { MaxDisrupted = disrupted }, live).Delete.ToHashSet();
            var tooMany = live.Count(replica => replica is { Outdated: false, Broken: false }) > limits.Desired;
            var (before, after) = (Serving(live), Serving(live.Where(replica => !gone.Contains(replica.Name))));
            var most = limits.MaxSurge > 0 ? 0 : Math.Min(disrupted, limits.MaxUnavailable);
            Assert.True(tooMany || after >= Math.Min(before, limits.Desired - most));

            static int Serving(IEnumerable<ReplicaState> replicas) => replicas.Count(replica => replica.Outdated ? replica.Ready : replica.Available);
        });

    [Fact]
    public void No_old_one_goes_for_a_new_one_that_is_not_available_yet() => Gen.Select(Rolling, Worlds).Sample((limits, live) =>
    {
        var gone = RolloutPlan.Make(limits, live).Delete.ToHashSet();
        var serving = live.Where(replica => !gone.Contains(replica.Name)).Count(replica => replica.Outdated ? replica.Ready : replica.Available);
        var servingBefore = live.Count(replica => replica.Outdated ? replica.Ready : replica.Available);

        // New ones go only where there are too many of them.
        var tooMany = live.Count(replica => replica is { Outdated: false, Broken: false }) > limits.Desired;
        Assert.True(tooMany || serving >= Math.Min(servingBefore, limits.Desired - limits.MaxUnavailable));
    });

    [Fact]
    public void Recreated_two_revisions_never_run_at_once() => Gen.Select(Rolling, Worlds, Gen.Bool).Sample((limits, live, stop) =>
    {
        var plan = RolloutPlan.Make(limits with { Recreate = true, OthersStop = stop }, live);
        Assert.True(plan.Create == 0 || !(stop || live.Any(replica => replica is { IsOfOtherRevision: true, Broken: false })));
    });

    [Fact]
    public void A_canary_and_the_stable_revision_have_nothing_to_do_with_each_other() =>
        Gen.Select(Rolling, Worlds, Worlds, Gen.Int[0, 20]).Sample((limits, stable, others, canaries) =>
        {
            var tried = others.Select(replica => replica with { Name = "c" + replica.Name, IsCanary = true }).ToList();
            var (alone, beside) = (RolloutPlan.Make(limits, stable), RolloutPlan.Make(limits with { Canaries = canaries }, [.. stable, .. tried]));
            Assert.Equal((alone.Create, string.Join(' ', alone.Delete)), (beside.Create, string.Join(' ', beside.Delete.Where(name => name[0] != 'c'))));
            var live = tried.Count(replica => !replica.Broken);
            Assert.True(live + beside.CreateCanaries <= Math.Max(live, canaries + limits.MaxSurge));
        });

    [Fact]
    public void Deletes_only_what_there_is_and_nothing_twice() => Gen.Select(Any, Worlds).Sample((limits, live) =>
    {
        var plan = RolloutPlan.Make(limits, live);
        Assert.Equal(plan.Delete.Count, plan.Delete.Distinct().Count());
        Assert.Subset(live.Select(replica => replica.Name).ToHashSet(), plan.Delete.ToHashSet());
    });

    [Fact]
    public void The_order_in_which_the_replicas_are_listed_changes_nothing() => Gen.Select(Any, Worlds, Gen.Int).Sample((limits, live, seed) =>
    {
        var shuffled = live.ToArray();
        new Random(seed).Shuffle(shuffled);
        var (one, other) = (RolloutPlan.Make(limits, live), RolloutPlan.Make(limits, shuffled));
        Assert.Equal(one.Create, other.Create);
        Assert.Equal(one.Delete, other.Delete);
    });

    /// <summary>
    /// Another scale, another template, its taking back, a host to be left, replicas that fail and come back: whatever comes in
    /// between, the limits hold at each step, and once nothing more comes the last thing asked for is there and stays.
    /// </summary>
    [Fact]
    public void Whatever_comes_in_between_it_arrives_within_its_limits() => Gen.Select(Any, Worlds, Gen.Int).Sample((limits, start, seed) =>
    {
        var random = new Random(seed);
        var live = start.ToList();
        var stopping = 0;
        var made = 0;
        for (var step = 0; ; step++)
        {
            Assert.True(step < 1000, $"not there after {step} steps: wanted {limits}, live {string.Join(' ', live)}");
            var now = limits with { OthersStop = limits.Recreate && stopping > 0 };
            var plan = RolloutPlan.Make(now, live);
            var ready = live.Count(replica => replica.Ready);
            var before = live.Count(replica => !replica.Broken);
            stopping += live.Count(replica => plan.Delete.Contains(replica.Name) && replica.IsOfOtherRevision);
            var stays = live.Where(replica => !plan.Delete.Contains(replica.Name)).ToList();
            Assert.True(limits.Recreate || stays.Count(replica => replica.Ready) >= Math.Min(ready, limits.Desired - limits.MaxUnavailable));
            Assert.True(before + plan.Create <= Math.Max(before, limits.Desired + limits.MaxSurge));
            live = stays;
            for (var i = 0; i < plan.Create; i++)
            {
                live.Add(new ReplicaState($"n{made++}", false, false, false, null, Noon.AddMinutes(made)));
            }

            if (plan is { Create: 0, Delete.Count: 0 } && stopping == 0 && live.TrueForAll(replica => replica.Available))
            {
                break;
            }

            stopping = random.Next(3) == 0 ? 0 : stopping;
            live = [.. live.Select(replica => Happens(replica, random, mayFail: step < 200))];
            if (step < 200)
            {
                (limits, live) = Asked(limits, live, random);
            }
        }

        Assert.Equal(limits.Desired, live.Count);
        Assert.All(live, replica => Assert.False(replica.Outdated || replica.Broken));
    });

    private static ReplicaState Happens(ReplicaState replica, Random random, bool mayFail) => random.Next(5) switch
    {
        0 or 1 => replica with { HostName = replica.HostName ?? $"h{random.Next(1, 5)}", Ready = !replica.Broken },
        2 => replica with { Available = replica.Ready },
        3 when mayFail => replica with { Ready = false, Available = false },
        _ => replica,
    };

    private static (RolloutLimits Limits, List<ReplicaState> Live) Asked(RolloutLimits limits, List<ReplicaState> live, Random random) => random.Next(40) switch
    {
        0 => (limits with { Desired = random.Next(0, 20) }, live),
        1 => (limits, [.. live.Select(replica => replica with { Outdated = true, IsOfOtherRevision = true })]),
        2 => (limits, [.. live.Select(replica => replica with { Outdated = !replica.IsOfOtherRevision, IsOfOtherRevision = !replica.IsOfOtherRevision })]),
        3 => (limits, [.. live.Select(replica => replica.HostName == "h1" ? replica with { Outdated = true } : replica)]),
        4 => (limits with { Recreate = !limits.Recreate }, live),
        5 => (limits, [.. live.Select(replica => replica.HostName == "h2" ? replica with { Broken = true, Ready = false, Available = false } : replica)]),
        _ => (limits, live),
    };
}
