using CsCheck;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.Tests.Scheduling;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.WebApps;

/// <summary>Judgement, plan and scheduler together, in any course of drains, joins, scaling, rollouts and losses of hosts.</summary>
public sealed class HostDrainProperties
{
    private static readonly DateTimeOffset Noon = new(2025, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Never_below_the_limits_and_what_is_drained_ends_empty_and_stays_so() => Gen.Int.Sample(seed =>
    {
        var course = new Course(new Random(seed));
        for (var step = 0; step < 120; step++)
        {
            course.Happens();
            course.Step();
        }

        course.Calm();
        for (var (steps, settled) = (0, false); course.Step() || !settled; steps++)
        {
            Assert.True(steps < 500, $"not there after {steps} steps: {course}");
            settled = course.IsSettled;
        }

        course.SeeSettled();
        for (var step = 0; step < 20; step++)
        {
            Assert.False(course.Step(), $"moves again: {course}");
        }
    }, iter: 200);

    private sealed class Course
    {
        private readonly World _world = new();
        private readonly Random _random;
        private readonly WebApp _app;
        private readonly HostOutages _outages;
        private DateTimeOffset _now = Noon;

        public Course(Random random)
        {
            _random = random;
            _outages = new HostOutages(() => _world.Hosts) { LedSince = Noon - TimeSpan.FromDays(1) };
            _app = _world.App("web", memory: "1Gi");
            _app.Spec.Replicas = random.Next(0, 10);
            var surge = random.Next(0, 3);
            _app.Spec.Strategy = new() { Rolling = new() { MaxSurge = surge, MaxUnavailable = random.Next(surge == 0 ? 1 : 0, 4) } };
            _app.Spec.Disruption = random.Next(2) == 0 ? null : new() { MaxUnavailable = random.Next(1, 3) };
            for (var i = 0; i < 4; i++)
            {
                Join();
            }
        }

        /// <summary>All that exist are ready, and as many as are wanted.</summary>
        public bool IsSettled => _world.Replicas.Count == _app.DesiredReplicas && _world.Replicas.TrueForAll(replica => replica.Status is { Ready: true });

        public void Happens()
        {
            _now += TimeSpan.FromSeconds(1);
            var host = _world.Hosts[_random.Next(_world.Hosts.Count)];
            switch (_random.Next(24))
            {
                case 0 or 1:
                    host.Spec.Drain = host.Spec.Drain is null ? true : null;
                    break;
                case 2 when _world.Hosts.Count < 8:
                    Join();
                    break;
                case 3:
                    _app.Spec.Replicas = _random.Next(0, 10);
                    break;
                case 4:
                    _app.Spec.Image = $"web:{_random.Next(3)}";
                    break;
                case 5:
                    SetSilent(host, !HostHealth.IsSilent(host));
                    break;
            }
        }

        /// <summary>Nothing comes any more; there is a host with room for all, and none is silent.</summary>
        public void Calm()
        {
            _now += TimeSpan.FromMinutes(10);
            _world.Hosts[0].Spec.Drain = null;
            _world.Hosts.ForEach(host => SetSilent(host, false));
            _now += TimeSpan.FromMinutes(10);
        }

        /// <summary>One reconcile, one round of the scheduler, and some of what was started becomes ready.</summary>
        /// <returns>Whether anything was made or deleted.</returns>
        public bool Step()
        {
            var target = RolloutTarget.Of(_app);
            var views = _world.Replicas.ConvertAll(replica => ReplicaView.Of(
                replica, _app, target, _world.Hosts.Find(host => host.Metadata.Name == replica.Spec.HostName), false, _outages, _now));
            var (live, lost) = (views.Where(view => !view.IsLost && !view.IsReturning).ToList(), views.Where(view => view.IsLost || view.IsReturning).ToList());
            var limits = RolloutLimits.Of(_app) with { Returning = lost.Count(view => view is { IsReturning: true, IsOfOtherRevision: false }) };
            var plan = RolloutPlan.Make(limits, [.. live.Select(view => view.State)]).WithLost(limits.Desired, [.. lost.Select(view => view.State)]);

            SeeLimits(limits, live, plan);
            _world.Replicas.RemoveAll(replica => plan.Delete.Contains(replica.Metadata.Name));
            for (var i = 0; i < plan.Create; i++)
            {
                _world.Replica(_app, revision: target.Run!).Metadata.CreationTimestamp = _now.UtcDateTime;
            }

            // What the scheduler knows of a host is made once for each version of the object.
            for (var i = 0; i < _world.Hosts.Count; i++)
            {
                _world.Hosts[i] = new() { Metadata = _world.Hosts[i].Metadata, Spec = _world.Hosts[i].Spec, Status = _world.Hosts[i].Status };
            }

            _world.Round();
            foreach (var replica in _world.Replicas)
            {
                var host = _world.Hosts.Find(one => one.Metadata.Name == replica.Spec.HostName);
                replica.Status = new() { Ready = host is not null && HostHealth.IsReady(host) && (replica.Status is { Ready: true } || _random.Next(2) == 0) };
            }

            return plan.Create > 0 || plan.Delete.Count > 0;
        }

        public void SeeSettled() => Assert.DoesNotContain(
            _world.Replicas, replica => _world.Hosts.Single(host => host.Metadata.Name == replica.Spec.HostName).Spec.Drain == true);

        public override string ToString() => $"{_app.Spec.Replicas} wanted, {string.Join(' ', _world.Replicas.Select(replica =>
            $"{replica.Metadata.Name}@{replica.Spec.HostName ?? "?"}{(replica.Status is { Ready: true } ? "" : "!")}"))}; drained {string.Join(' ', _world.Hosts.Where(host => host.Spec.Drain == true).Select(host => host.Metadata.Name))}";

        private static void SeeLimits(RolloutLimits limits, List<ReplicaView> live, RolloutPlan plan)
        {
            var stays = live.Where(view => !plan.Delete.Contains(view.Replica.Metadata.Name)).ToList();
            var (before, after) = (live.Count(view => view.Ready), stays.Count(view => view.Ready));
            var rolls = live.Exists(view => view.IsOfOtherRevision);
            Assert.True(after >= Math.Min(before, limits.Desired - (rolls ? limits.MaxUnavailable : limits.MaxMissingForMoves)));
            Assert.True(stays.Count + plan.Create <= Math.Max(stays.Count, limits.Desired + limits.MaxSurge));
        }

        private void Join()
        {
            var name = $"h{_world.Hosts.Count}";
            SetSilent(_world.Host(name, memory: name == "h0" ? "16Gi" : "3Gi"), false);
        }

        private void SetSilent(DockerHost host, bool silent)
        {
            if (silent != HostHealth.IsSilent(host) || Conditions.Find(host.Status!.Conditions, ConditionTypes.Alive) is null)
            {
                host.Status!.Conditions = [Condition(ConditionTypes.Ready, !silent), Condition(ConditionTypes.Alive, !silent)];
            }
        }

        private V1Condition Condition(string type, bool holds) => new()
        {
            Type = type, Status = holds ? Conditions.True : Conditions.False, LastTransitionTime = _now.UtcDateTime,
        };
    }
}
