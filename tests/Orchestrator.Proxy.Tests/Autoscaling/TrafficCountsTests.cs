using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Autoscaling;

namespace Orchestrator.Proxy.Tests.Autoscaling;

public sealed class TrafficCountsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TrafficCounts _counts;

    public TrafficCountsTests() => _counts = new(new("sites", "web"), _time);

    [Fact]
    public void Nothing_is_told_of_less_than_two_seconds_but_what_waits()
    {
        Assert.Equal(new("sites/web", null, null, 3), _counts.Read(waiting: 3));

        Seconds(2, requests: 5);
        Assert.Equal(new("sites/web", null, null, 0), _counts.Read(waiting: 0));

        Seconds(1, requests: 5);
        Assert.Equal(5, _counts.Read(waiting: 0).RequestsPerSecond);
    }

    [Fact]
    public void Rates_are_of_the_last_quarter_of_a_minute()
    {
        Seconds(60, requests: 100);
        Assert.Equal(100, _counts.Read(0).RequestsPerSecond);

        Seconds(5, requests: 10);
        Assert.Equal(70, _counts.Read(0).RequestsPerSecond);

        Seconds(10, requests: 10);
        Assert.Equal(10, _counts.Read(0).RequestsPerSecond);

        Seconds(15, requests: 0);
        Assert.Equal((0, 0, 0), (_counts.Read(0).RequestsPerSecond, _counts.Read(0).InFlight, _counts.Read(0).Latencies!.Count));
    }

    [Fact]
    public void Requests_under_way_are_an_average_of_the_looks()
    {
        Seconds(1, requests: 0);
        _counts.Begin();
        _counts.Begin();
        Seconds(10, requests: 0);
        _counts.End(200, took: null);
        Seconds(5, requests: 0);

        Assert.Equal(Math.Round((double)((10 * 2) + 5) / 15, 3), _counts.Read(0).InFlight);
    }

    [Fact]
    public void Latencies_are_those_of_what_ended_in_the_window()
    {
        Seconds(1, requests: 0);
        End(TimeSpan.FromMilliseconds(500));
        Seconds(20, requests: 0);
        Assert.Empty(_counts.Read(0).Latencies!);

        End(TimeSpan.FromMilliseconds(20));
        End(TimeSpan.FromMilliseconds(20));
        End(took: null);
        Seconds(1, requests: 0);

        var seen = _counts.Read(0).Latencies!;
        Assert.Equal((2, LatencyBuckets.Of(TimeSpan.FromMilliseconds(20)) + 1), (seen.Sum(), seen.Count));
    }

    [Fact]
    public void Errors_are_told_beside_all_that_ended()
    {
        Seconds(1, requests: 0);
        for (var n = 0; n < 30; n++)
        {
            End(took: null);
        }

        foreach (var status in new[] { 500, 502, 504, 499, 404 })
        {
            End(took: null, status);
        }

        // Under way: neither.
        _counts.Begin();
        Seconds(15, requests: 0);

        var seen = _counts.Read(0);
        Assert.Equal((2.4, 2.333, 0.2), (seen.RequestsPerSecond, seen.EndedPerSecond, seen.ErrorsPerSecond));
        Seconds(15, requests: 0);
        Assert.Equal((0, 0), (_counts.Read(0).EndedPerSecond, _counts.Read(0).ErrorsPerSecond));
    }

    private void End(TimeSpan? took, int status = 200)
    {
        _counts.Begin();
        _counts.End(status, took);
    }

    /// <summary>Each second so many requests come and end at once, then it is looked.</summary>
    private void Seconds(int seconds, int requests)
    {
        for (var second = 0; second < seconds; second++)
        {
            for (var request = 0; request < requests; request++)
            {
                End(took: null);
            }

            _counts.Sample();
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
