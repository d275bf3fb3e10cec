using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.ControlPlane.Rebalancing;

namespace Orchestrator.ControlPlane.Tests.Rebalancing;

/// <summary>When running replicas may be moved on to a host.</summary>
public sealed class SteadyHostsTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2025, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly SteadyHosts _steady;

    public SteadyHostsTests() => _steady = new SteadyHosts(_time);

    [Fact]
    public void One_that_has_taken_replicas_for_half_a_minute_without_a_break_is_steady()
    {
        See(ready: true);
        Pass(20);
        Assert.Equal((false, 10), (_steady.IsSteady("a"), NextIn()));

        See(ready: false);
        Pass(20);
        See(ready: true);
        Pass(29);
        Assert.Equal((false, 1), (_steady.IsSteady("a"), NextIn()));
        Pass(1);
        Assert.Equal((true, null), (_steady.IsSteady("a"), NextIn()));
    }

    [Fact]
    public void One_that_flaps_is_not_until_it_is_trusted_again()
    {
        See(ready: true, heldBackFor: 160);
        Pass(159);
        Assert.Equal((false, 1), (_steady.IsSteady("a"), NextIn()));
        Pass(1);
        Assert.Equal((true, null), (_steady.IsSteady("a"), NextIn()));
    }

    [Fact]
    public void One_that_is_held_back_for_less_still_has_to_settle_and_what_is_forgotten_holds_nothing_back()
    {
        See(ready: true, heldBackFor: 10);
        Pass(29);
        Assert.False(_steady.IsSteady("a"));
        See(ready: true, heldBackFor: 100);
        Pass(1);
        Assert.False(_steady.IsSteady("a"));

        See(ready: true);
        Assert.True(_steady.IsSteady("a"));
    }

    [Fact]
    public void A_host_that_is_gone_or_unknown_is_not()
    {
        See(ready: true);
        Pass(30);
        _steady.See("a", null);
        Assert.Equal((false, false), (_steady.IsSteady("a"), _steady.IsSteady("b")));
    }

    private void See(bool ready, int? heldBackFor = null) => _steady.See("a", new DockerHost
    {
        Metadata = new() { Name = "a" },
        Spec = new() { Endpoint = "tcp://10.0.0.1:2376" },
        Status = new()
        {
            Conditions = [new() { Type = ConditionTypes.Ready, Status = ready ? Conditions.True : Conditions.False }],
            Flapping = heldBackFor is { } seconds ? new() { Count = 3, Until = _time.GetUtcNow().UtcDateTime.AddSeconds(seconds) } : null,
        },
    });

    private void Pass(int seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));

    private int? NextIn() => (int?)_steady.NextIn()?.TotalSeconds;
}
