using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.WebApps;

public sealed class CanaryVerdictTests
{
    private static readonly CanaryAnalysis Rules = new() { MaxErrorPercent = 2, MaxLatencyPercent = 150, MinRequests = 100 };

    [Theory]
    [InlineData(99, 99, 0, null)]
    [InlineData(100, 2, 0, null)]
    [InlineData(100, 3, 0, "CanaryErrors")]
    [InlineData(100, 12, 10, null)]
    [InlineData(100, 13, 10, "CanaryErrors")]
    public void Errors_count_beyond_those_of_the_stable_revision_once_there_are_enough_requests(int requests, int errors, int stablePercent, string? reason) =>
        Assert.Equal(reason, Judge(Counts(1000, stablePercent * 10, 10), Counts(requests, errors, 10)));

    [Theory]
    [InlineData(100, 140, null)]
    [InlineData(100, 200, "CanaryLatency")]
    [InlineData(3, 9, null)]
    [InlineData(3, 30, "CanaryLatency")]
    public void Latency_is_compared_where_the_difference_is_worth_it(int stable, int canary, string? reason) =>
        Assert.Equal(reason, Judge(Counts(1000, 0, stable), Counts(1000, 0, canary)));

    [Fact]
    public void With_nothing_to_compare_to_errors_count_alone()
    {
        Assert.Null(Judge(RequestCounts.None, Counts(1000, 20, 5000)));
        Assert.Equal("CanaryErrors", Judge(RequestCounts.None, Counts(1000, 21, 5000)));
    }

    [Fact]
    public void Without_rules_it_only_tells()
    {
        var verdict = CanaryVerdict.Of(null, new(Counts(10, 0, 20), Counts(4, 1, 900)));

        Assert.Equal(("new: 4 requests, 25 % failed, 95 % within 1.02 s; stable: 10 requests, 0 % failed, 95 % within 22.2 ms", null), (verdict.Text, verdict.Failure));
        Assert.Null(CanaryVerdict.Of(Rules, CanaryCounts.None).Text);
    }

    private static string? Judge(RequestCounts stable, RequestCounts canary) => CanaryVerdict.Of(Rules, new(stable, canary)).Failure?.Reason;

    private static RequestCounts Counts(int requests, int errors, int milliseconds)
    {
        var latencies = new long[LatencyBuckets.Count];
        latencies[LatencyBuckets.Of(TimeSpan.FromMilliseconds(milliseconds))] = requests;
        return new(requests, errors, latencies);
    }
}
