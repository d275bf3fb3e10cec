using CsCheck;
using k8s.Models;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.Rebalancing;

/// <summary>Moving comes to an end, whatever hosts and apps there are and whatever has happened to them.</summary>
public sealed class RebalanceProperties
{
    [Fact]
    public void Each_batch_of_moves_lowers_the_unevenness_nothing_moves_back_and_no_limit_is_exceeded() => Gen.Int.Sample(seed =>
    {
        var course = new Course(new Random(seed));
        for (var step = 0; step < 80; step++)
        {
            course.Happens();
        }

        course.Calm();
        course.SeeComeToRest();
    }, iter: 100);

    private sealed class Course
    {
        private static readonly string[] Zones = ["a", "b", "c"];

        private readonly Balance _balance = new();
        private readonly Random _random;

        public Course(Random random)
        {
            _random = random;
            _balance.Starts = _ => random.Next(2) == 0;
            _balance.Planned = SeeLimits;
            for (var i = 0; i < 3; i++)
            {
                Join();
            }

            for (var i = random.Next(1, 4); i > 0; i--)
            {
                AddApp($"app{i}");
            }
        }

        public void Happens()
        {
            var host = _balance.World.Hosts[_random.Next(_balance.World.Hosts.Count)];
            var app = _balance.World.Apps.Values.ElementAt(_random.Next(_balance.World.Apps.Count));
            switch (_random.Next(24))
            {
                case 0 or 1 when _balance.World.Hosts.Count < 9:
                    Join();
                    break;
                case 2:
                    host.Spec.Drain = host.Spec.Drain is null ? true : null;
                    break;
                case 3:
                    host.Spec.Unschedulable = host.Spec.Unschedulable is null ? true : null;
                    break;
                case 4:
                    app.Spec.Replicas = _random.Next(0, 24);
                    app.Metadata.Generation++;
                    break;
                case 5:
                    app.Spec.Image = $"web:{_random.Next(3)}";
                    app.Metadata.Generation++;
                    break;
                case 6 or 7:
                    _balance.SetHealth(host, HostHealth.IsSilent(host));
                    break;
            }

            if (_random.Next(3) == 0)
            {
                _balance.Look();
            }

            _balance.Step();
        }

        /// <summary>Nothing comes any more, and no host is silent.</summary>
        public void Calm()
        {
            foreach (var host in _balance.World.Hosts.Where(HostHealth.IsSilent))
            {
                _balance.SetHealth(host, true);
            }

            _balance.Time.Advance(ControlPlane.Rebalancing.Moves.LongestHold);
            for (var (step, quiet) = (0, 0); quiet < 3; step++)
            {
                // Without new moves: what happened before has to come to rest first.
                Assert.True(step < 500, $"does not settle: {_balance}");
                quiet = _balance.Step() || _balance.Moves.Count > 0 ? 0 : quiet + 1;
            }
        }

        public void SeeComeToRest()
        {
            var apps = _balance.World.Apps.Values;
            var budget = apps.Sum(_balance.UnevennessOf) / 2;
            for (var batches = 0; ; batches++)
            {
                var before = apps.ToDictionary(app => app.Metadata.Name, _balance.UnevennessOf);
                var counts = _balance.ToString();
                var moves = _balance.Look();
                if (moves.Count == 0)
                {
                    break;
                }

                // Each lowers it by two at least.
                budget -= moves.Count;
                Assert.True(budget >= 0, $"too many moves: {_balance}");
                _balance.Events.Clear();
                for (var steps = 0; _balance.Moves.Count > 0 || _balance.Step(); steps++)
                {
                    Assert.True(steps < 300, $"does not end: {_balance}");
                    _balance.Step();
                }

                Assert.DoesNotContain(_balance.Events, told => told.StartsWith(WebAppReasons.RebalancingStopped, StringComparison.Ordinal));
                foreach (var app in moves.Select(move => move.Replica.Spec.AppName).Distinct())
                {
                    var after = _balance.UnevennessOf(apps.Single(one => one.Metadata.Name == app));
                    Assert.True(after < before[app], $"{app} was moved in vain: {counts} became {_balance}");
                }
            }

            // And it stays so, also where apps could not come to rest for want of room.
            for (var step = 0; step < 20; step++)
            {
                Assert.Empty(_balance.Look());
                Assert.False(_balance.Step(), $"moves again: {_balance}");
            }
        }

        private void Join()
        {
            var name = $"h{_balance.World.Hosts.Count}";
            var host = _balance.World.Host(name, memory: _random.Next(3) == 0 ? "4Gi" : "32Gi", and: host =>
            {
                host.Metadata.Labels = new Dictionary<string, string> { ["zone"] = Zones[_random.Next(Zones.Length)] };
                host.Spec.Taints = _random.Next(5) == 0 ? [new() { Key = "odd", Effect = "PreferNoSchedule" }] : null;
            });
            _balance.SetHealth(host, true);
        }

        private void AddApp(string name)
        {
            var surge = _random.Next(0, 4);
            var app = _balance.World.App(name, RandomPlacement(), memory: _random.Next(2) == 0 ? "512Mi" : null);
            app.Metadata.Generation = 1;
            app.Spec.Replicas = _random.Next(0, 24);
            app.Spec.Strategy = new() { Rolling = new() { MaxSurge = surge, MaxUnavailable = _random.Next(surge == 0 ? 1 : 0, 4) } };
            app.Spec.Disruption = _random.Next(3) == 0 ? new() { MaxUnavailable = _random.Next(1, 3) } : null;
        }

        private Placement RandomPlacement() => new()
        {
            Strategy = _random.Next(4) == 0 ? PlacementStrategies.LeastAllocated : null,
            MaxReplicasPerHost = _random.Next(5) == 0 ? _random.Next(3, 9) : null,
            Spread = _random.Next(2) == 0 ? null
                : [new() { TopologyKey = "zone", MaxSkew = _random.Next(1, 3), WhenUnsatisfiable = _random.Next(2) == 0 ? UnsatisfiableActions.DoNotSchedule : null }],
            Affinity = _random.Next(3) switch
            {
                0 => new() { Hosts = new() { Preferred = [new() { Weight = _random.Next(1, 50), Preference = Zone() }] } },
                1 => new() { AwayFromApps = new() { Preferred = [new() { Weight = _random.Next(1, 50), Term = Everyone() }] } },
                _ => null,
            },
        };

        private HostSelectorTerm Zone() => new() { MatchExpressions = [new() { Key = "zone", OperatorProperty = "In", Values = [Zones[_random.Next(Zones.Length)]] }] };

        private AppAffinityTerm Everyone() => new()
        {
            TopologyKey = _random.Next(2) == 0 ? "zone" : TopologyKeys.Hostname,
            LabelSelector = new()
            {
                MatchExpressions = [new V1LabelSelectorRequirement { Key = "orchestrator.dev/app", OperatorProperty = "In", Values = ["app1", "app2"] }],
            },
        };

        private static void SeeLimits(WebApp app, RolloutLimits limits, IReadOnlyList<ReplicaView> live, RolloutPlan plan)
        {
            var stays = live.Where(view => !plan.Delete.Contains(view.Replica.Metadata.Name)).ToList();
            var (before, after) = (live.Count(view => view.Ready), stays.Count(view => view.Ready));
            var rolls = live.Any(view => view.IsOfOtherRevision);
            Assert.True(after >= Math.Min(before, limits.Desired - (rolls ? limits.MaxUnavailable : limits.MaxMissingForMoves)));
            Assert.True(stays.Count + plan.Create <= Math.Max(stays.Count, limits.Desired + limits.MaxSurge));
        }
    }
}
