using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;

namespace Orchestrator.ControlPlane.Tests.Hosts;

public sealed class HostOutagesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    private readonly List<DockerHost> _hosts = [Host("h1"), Host("h2"), Host("h3")];
    private readonly WebApp _app = new();
    private readonly HostOutages _outages;

    public HostOutagesTests() => _outages = new HostOutages(() => _hosts);

    [Fact]
    public void A_host_that_answers_takes_nothing_away() => Assert.Equal(default, Judge());

    [Theory]
    [InlineData(null, 4, false, 1)]
    [InlineData(null, 5, true, null)]
    [InlineData(60, 59, false, 1)]
    [InlineData(60, 60, true, null)]
    public void Replicas_of_a_silent_host_are_lost_after_its_time(int? limit, int silentFor, bool lost, int? recheck)
    {
        _hosts[0].Spec.UnreachableAfterSeconds = limit;
        Silence(0, Noon.AddSeconds(-silentFor));

        Assert.Equal(new HostOutage { IsLost = lost, RecheckAfter = Seconds(recheck) }, Judge());
    }

    [Theory]
    [InlineData(null, 299, false, 1)]
    [InlineData(null, 300, true, null)]
    [InlineData(10, 10, true, null)]
    public void Replicas_that_answer_while_their_engine_does_not_are_moved_after_its_time(int? limit, int downFor, bool left, int? recheck)
    {
        _hosts[0].Spec.EngineDownAfterSeconds = limit;
        EngineDown(0, Noon.AddSeconds(-downFor));

        Assert.Equal(new HostOutage { IsToBeLeft = left, RecheckAfter = Seconds(recheck) }, Judge());
    }

    [Theory]
    [InlineData(null, 3600, false, null)]
    [InlineData(30L, 29, false, 1)]
    [InlineData(30L, 30, true, null)]
    [InlineData(0L, 0, true, null)]
    public void An_app_may_wait_longer_or_less_or_for_ever(long? tolerated, int silentFor, bool lost, int? recheck)
    {
        _app.Spec.Placement = new() { Tolerations = [new V1Toleration { Key = HostTaints.Unreachable, OperatorProperty = "Exists", TolerationSeconds = tolerated }] };
        Silence(0, Noon.AddSeconds(-silentFor));
        Assert.Equal(new HostOutage { IsLost = lost, RecheckAfter = Seconds(recheck) }, Judge());

        // That is no word about engines.
        EngineDown(0, Noon.AddHours(-1));
        Assert.True(Judge().IsToBeLeft);
    }

    [Fact]
    public void Most_hosts_that_fall_silent_at_once_are_in_doubt_for_a_while()
    {
        Silence(0, Noon.AddSeconds(-40));
        Silence(1, Noon.AddSeconds(-20));
        Assert.Equal(new HostOutage { IsInDoubt = true, RecheckAfter = Seconds(1) }, Judge());

        Assert.True(_outages.Of(_hosts[0], _app, Noon + HostOutages.LongestDoubt).IsLost);
    }

    [Fact]
    public void The_first_that_is_known_to_be_silent_is_not_judged_before_others_that_fell_silent_with_it_are_known_too()
    {
        SilenceUnknown(0, Noon.AddSeconds(-5));
        Assert.Equal(new HostOutage { RecheckAfter = HostOutages.Settling }, Judge());

        SilenceUnknown(1, Noon.AddSeconds(-5));
        Assert.True(_outages.Of(_hosts[0], _app, Noon + HostOutages.Settling).IsInDoubt);
    }

    [Fact]
    public void A_clock_that_is_set_back_does_not_hold_up_what_is_known()
    {
        SilenceUnknown(0, Noon.AddHours(-2));
        Judge();

        Assert.Equal(HostOutages.Settling, _outages.Of(_hosts[0], _app, Noon.AddHours(-1)).RecheckAfter);
        Assert.True(_outages.Of(_hosts[0], _app, Noon.AddHours(-1) + HostOutages.Settling).IsLost);
    }

    [Fact]
    public void While_none_answers_the_doubt_does_not_end()
    {
        for (var i = 0; i < 3; i++)
        {
            Silence(i, Noon.AddDays(-1));
        }

        Assert.True(Judge().IsInDoubt);
    }

    [Fact]
    public void One_that_fell_silent_long_after_another_is_no_doubt()
    {
        Silence(0, Noon.AddSeconds(-10));
        Silence(1, Noon.AddMinutes(-2));

        Assert.True(Judge().IsLost);
    }

    [Fact]
    public void One_of_two_is_not_most()
    {
        _hosts.RemoveAt(2);
        Silence(0, Noon.AddSeconds(-10));

        Assert.True(Judge().IsLost);
    }

    [Fact]
    public void What_was_written_before_this_process_led_is_as_old_as_it()
    {
        Silence(0, Noon.AddHours(-1));
        _outages.LedSince = Noon.AddSeconds(-2);
        Assert.Equal(new HostOutage { RecheckAfter = Seconds(3) }, Judge());

        _outages.LedSince = Noon.AddSeconds(-5);
        Assert.True(Judge().IsLost);
    }

    [Fact]
    public void A_host_that_is_back_has_a_moment_to_show_which_of_its_earlier_replicas_serve()
    {
        Set(_hosts[0], (ConditionTypes.Ready, Conditions.True, Noon), (ConditionTypes.Alive, Conditions.True, Noon.AddSeconds(-4)));

        Assert.Equal(Seconds(6), HostOutages.ReturnOf(_hosts[0], Noon.AddMinutes(-1).UtcDateTime, Noon));
        Assert.Null(HostOutages.ReturnOf(_hosts[0], Noon.AddMinutes(-1).UtcDateTime, Noon.AddSeconds(6)));
        Assert.Null(HostOutages.ReturnOf(_hosts[0], Noon.AddSeconds(-3).UtcDateTime, Noon));
    }

    private static DockerHost Host(string name)
    {
        var host = new DockerHost { Metadata = new() { Name = name } };
        Set(host, (ConditionTypes.Ready, Conditions.True, DateTimeOffset.UnixEpoch), (ConditionTypes.Alive, Conditions.True, DateTimeOffset.UnixEpoch));
        return host;
    }

    private static void Set(DockerHost host, params (string Type, string Status, DateTimeOffset Since)[] conditions) => host.Status = new()
    {
        Conditions = [.. conditions.Select(one => new V1Condition { Type = one.Type, Status = one.Status, LastTransitionTime = one.Since.UtcDateTime })],
    };

    private static TimeSpan? Seconds(int? seconds) => seconds is { } some ? TimeSpan.FromSeconds(some) : null;

    /// <summary>Known for as long as it takes to be believed.</summary>
    private void Silence(int host, DateTimeOffset since)
    {
        SilenceUnknown(host, since);
        _outages.Of(_hosts[host], _app, Noon - HostOutages.Settling);
    }

    private void SilenceUnknown(int host, DateTimeOffset since) =>
        Set(_hosts[host], (ConditionTypes.Ready, Conditions.Unknown, since), (ConditionTypes.Alive, Conditions.False, since));

    private void EngineDown(int host, DateTimeOffset since) =>
        Set(_hosts[host], (ConditionTypes.Ready, Conditions.Unknown, since), (ConditionTypes.Alive, Conditions.True, DateTimeOffset.UnixEpoch));

    private HostOutage Judge() => _outages.Of(_hosts[0], _app, Noon);
}
