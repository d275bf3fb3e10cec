using CsCheck;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.WebApps;

/// <summary>What holds in every situation, for any course of events.</summary>
public sealed class RolloutPlanProperties
{
    private static readonly DateTime Noon = new(2025, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    private static readonly Gen<ReplicaState[]> Worlds =
        Gen.Select(Gen.Bool, Gen.Frequency((9, Gen.Const(false)), (1, Gen.Const(true))), Gen.Bool, Gen.Int[0, 4], Gen.Int[0, 60])
            .Select((outdated, broken, ready, host, age) =>
                new ReplicaState("", outdated, broken, ready && !broken && host > 0, host == 0 ? null : $"h{host}", Noon.AddMinutes(-age)))
            .Array[0, 24]
            .Select(replicas => replicas.Select((replica, i) => replica with { Name = $"r{i}" }).ToArray());

    [Fact]
    public void Never_more_than_wanted_and_the_surge() => Gen.Select(Gen.Int[0, 20], Worlds).Sample((desired, live) =>
    {
        var plan = RolloutPlan.Make(desired, live);
        var before = live.Count(replica => !replica.Broken);
        Assert.True(before + plan.Create <= Math.Max(before, desired + RolloutPlan.MaxSurge(desired)));
    });

    [Fact]
    public void Never_a_surge_without_anything_to_replace() => Gen.Select(Gen.Int[0, 20], Worlds).Sample((desired, live) =>
    {
        var current = live.Select(replica => replica with { Outdated = false }).ToList();
        var plan = RolloutPlan.Make(desired, current);
        Assert.Equal(desired, current.Count + plan.Create - plan.Delete.Count);
    });

    [Fact]
    public void Never_fewer_ready_than_wanted_less_what_may_be_missing_by_our_own_deletions() =>
        Gen.Select(Gen.Int[0, 20], Worlds).Sample((desired, live) =>
        {
            var plan = RolloutPlan.Make(desired, live);
            var ready = live.Where(replica => replica.Ready).Select(replica => replica.Name).ToHashSet();
            var left = ready.Count - plan.Delete.Count(ready.Contains);
            Assert.True(left >= Math.Min(ready.Count, desired - RolloutPlan.MaxUnavailable(desired)));
        });

    [Fact]
    public void Deletes_only_what_there_is_and_nothing_twice() => Gen.Select(Gen.Int[0, 20], Worlds).Sample((desired, live) =>
    {
        var plan = RolloutPlan.Make(desired, live);
        Assert.Equal(plan.Delete.Count, plan.Delete.Distinct().Count());
        Assert.Subset(live.Select(replica => replica.Name).ToHashSet(), plan.Delete.ToHashSet());
    });

    [Fact]
    public void The_order_in_which_the_replicas_are_listed_changes_nothing() =>
        Gen.Select(Gen.Int[0, 20], Worlds, Gen.Int).Sample((desired, live, seed) =>
        {
            var shuffled = live.ToArray();
            new Random(seed).Shuffle(shuffled);
            var (one, other) = (RolloutPlan.Make(desired, live), RolloutPlan.Make(desired, shuffled));
            Assert.Equal(one.Create, other.Create);
            Assert.Equal(one.Delete, other.Delete);
        });

    [Fact]
    public void From_anywhere_it_arrives_at_the_wanted_number_of_ready_new_ones_and_stays() =>
        Gen.Select(Gen.Int[0, 20], Worlds, Gen.Int).Sample((desired, start, seed) =>
        {
            var random = new Random(seed);
            var live = start.ToList();
            var made = 0;
            for (var step = 0; ; step++)
            {
                Assert.True(step < 1000, $"not there after {step} steps: wanted {desired}, live {string.Join(' ', live)}");
                var plan = RolloutPlan.Make(desired, live);
                live.RemoveAll(replica => plan.Delete.Contains(replica.Name));
                for (var i = 0; i < plan.Create; i++)
                {
                    live.Add(new ReplicaState($"n{made++}", false, false, false, null, Noon.AddMinutes(made)));
                }

                if (plan is { Create: 0, Delete.Count: 0 } && live.TrueForAll(replica => replica.Ready))
                {
                    break;
                }

                // Some become ready, in any order; now and then one that was ready stops being it.
                live = [.. live.Select(replica => random.Next(4) switch
                {
                    0 or 1 => replica with { HostName = replica.HostName ?? $"h{random.Next(1, 5)}", Ready = !replica.Broken },
                    2 when step < 200 => replica with { Ready = false },
                    _ => replica,
                })];
            }

            Assert.Equal(desired, live.Count);
            Assert.All(live, replica => Assert.False(replica.Outdated || replica.Broken));
        });
}
