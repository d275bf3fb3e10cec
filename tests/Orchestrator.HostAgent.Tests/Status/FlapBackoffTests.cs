using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Status;

namespace Orchestrator.HostAgent.Tests.Status;

/// <summary>How long a host that fails again and again is held back once it is ready.</summary>
public sealed class FlapBackoffTests
{
    private readonly DockerHostStatus _status = new();
    private readonly List<string> _told = [];
    private DateTimeOffset _now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_first_failure_costs_nothing_and_each_after_it_twice_as_long_a_wait_up_to_five_minutes()
    {
        Write(true);
        Assert.Null(_status.Flapping);
        List<double> waits = [];
        for (var failure = 0; failure < 9; failure++)
        {
            Pass(20);
            Write(false);
            Assert.Equal((failure + 1, _now.UtcDateTime, null), (_status.Flapping!.Count, _status.Flapping.FailedAt, _status.Flapping.Until));
            Pass(20);
            Write(true);
            waits.Add(Wait());
        }

        Assert.Equal([0, 10, 20, 40, 80, 160, 300, 300, 300], waits);
    }

    [Fact]
    public void Writing_the_same_again_changes_nothing()
    {
        Fail(3);
        var until = _status.Flapping!.Until;
        Pass(7);
        Write(true);
        Assert.Equal((3, until), (_status.Flapping.Count, _status.Flapping.Until));
    }

    [Fact]
    public void Each_time_that_a_host_is_held_back_is_told_once()
    {
        Fail(2);
        Assert.Equal(
            ["has stopped being ready 2 times; it is given no new replicas until 2026-01-01T12:00:30Z, unless all hosts that are ready flap"], _told);

        Pass(7);
        Write(true);
        Pass(7);
        Write(false);
        Assert.Single(_told);
        Write(true);
        Assert.Equal(2, _told.Count);
        Assert.StartsWith("has stopped being ready 3 times;", _told[1], StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_forgotten_once_the_host_has_been_ready_for_ten_minutes()
    {
        Fail(4);
        Pass(599);
        Write(true);
        Assert.Equal(4, _status.Flapping!.Count);
        Pass(1);
        Write(true);
        Assert.Null(_status.Flapping);
    }

    [Fact]
    public void A_host_that_was_good_for_ten_minutes_fails_for_the_first_time_also_where_nothing_was_written_meanwhile()
    {
        Fail(4);
        Pass(601);
        Write(false);
        Assert.Equal(1, _status.Flapping!.Count);
    }

    [Fact]
    public void A_host_that_was_never_ready_has_not_failed()
    {
        Write(false);
        Pass(20);
        Write(true);
        Assert.Null(_status.Flapping);
    }

    [Fact]
    public void No_course_makes_a_wait_longer_than_the_longest_and_a_stable_host_has_none()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            Write(true);
            for (var step = 0; step < 60; step++)
            {
                Pass(random.Next(1, random.Next(2, 700)));
                Write(random.Next(2) == 0);
                Assert.InRange(Wait(), 0, FlapBackoff.Longest.TotalSeconds);
            }

            Write(true);
            Pass(601);
            Write(true);
            Assert.Null(_status.Flapping);
        }
    }

    [Fact]
    public void Any_number_of_failures_has_a_wait() =>
        Assert.Equal(FlapBackoff.Longest, FlapBackoff.WaitAfter(int.MaxValue));

    private void Fail(int times)
    {
        Write(true);
        for (var i = 0; i < times; i++)
        {
            Pass(5);
            Write(false);
            Pass(5);
            Write(true);
        }
    }

    private void Pass(int seconds) => _now += TimeSpan.FromSeconds(seconds);

    private double Wait() => _status.Flapping?.Until is { } until ? Math.Max(0, (until - _now.UtcDateTime).TotalSeconds) : 0;

    /// <summary>As the agent does: all by the status before.</summary>
    private void Write(bool isReady)
    {
        var next = FlapBackoff.Next(_status, isReady, _now);
        if (FlapBackoff.Told(_status.Flapping, next) is { } told)
        {
            _told.Add(told);
        }

        _status.Flapping = next;
        _status.Conditions = [Conditions.Next(_status.Conditions, ConditionTypes.Ready, isReady ? true : null, "Tested", null, 1, _now)];
    }
}
