using k8s.Models;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Autoscaling;

namespace Orchestrator.ControlPlane.Tests.Autoscaling;

public sealed class TrafficProposalsTests
{
    private static readonly AppTraffic Idle = new(null, 1, 0, 0, 0, []);

    [Theory]
    [InlineData(100, 4, 4)]
    [InlineData(109, 4, 4)] // Within a tenth.
    [InlineData(91, 4, 4)]
    [InlineData(111, 4, 5)]
    [InlineData(76, 4, 4)] // 3.04 are four.
    [InlineData(75, 4, 3)]
    [InlineData(0, 4, 0)]
    [InlineData(0, 0, 0)]
    [InlineData(1, 0, 1)]
    [InlineData(60, 0, 3)]
    public void Each_replica_is_to_have_its_share(double requests, int replicas, int asked)
    {
        var proposal = TrafficProposals.Of(Metric(MetricTypes.RequestsPerSecond, average: "25"), Idle with { RequestsPerSecond = requests }, Counts(replicas));

        Assert.Equal(asked, proposal.Replicas);
        Assert.Equal(TrafficProposals.Quantity(requests / Math.Max(1, replicas)), proposal.Seen!.Current.AverageValue);
    }

    [Fact]
    public void In_flight_is_another_number() => Assert.Equal(
        6, TrafficProposals.Of(Metric(MetricTypes.InFlight, average: "500m"), Idle with { InFlight = 3, RequestsPerSecond = 1000 }, Counts(2)).Replicas);

    [Theory]
    [InlineData(200, 4, 4, 8)] // Twice as slow as it should be.
    [InlineData(100, 4, 4, 4)]
    [InlineData(25, 4, 4, 1)]
    [InlineData(200, 8, 4, 8)] // By those that serve: the others are under way.
    public void Latency_is_by_the_replicas_that_serve(int milliseconds, int wanted, int ready, int asked)
    {
        var latencies = new long[LatencyBuckets.Count];
        latencies[LatencyBuckets.Of(TimeSpan.FromMilliseconds(milliseconds))] = 100;
        var latency = LatencyBuckets.Percentile(latencies, 95)!.Value.TotalMilliseconds;
        var target = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{(latency * 100 / milliseconds) + 0.01:0.###}");

        Assert.Equal(
            asked,
            TrafficProposals.Of(Metric(MetricTypes.LatencyP95, value: target), Idle with { RequestsPerSecond = 1, Latencies = latencies }, new(wanted, wanted, ready)).Replicas);
    }

    [Fact]
    public void Without_an_answer_latency_is_nothing_when_idle_and_unknown_when_all_hang()
    {
        var metric = Metric(MetricTypes.LatencyP95, value: "100");

        Assert.Equal(0, TrafficProposals.Of(metric, Idle, Counts(3)).Replicas);
        Assert.Equal(
            new ProposalFailure("FailedGetTraffic", "latencyP95 is not known: no request has been answered lately"),
            TrafficProposals.Of(metric, Idle with { InFlight = 12 }, Counts(3)).Failure);
    }

    [Fact]
    public void One_is_wanted_as_soon_as_anybody_is_there()
    {
        Assert.Equal(0, TrafficProposals.Presence(Idle).Replicas);
        Assert.Equal(1, TrafficProposals.Presence(Idle with { RequestsPerSecond = 0.1 }).Replicas);
        Assert.Equal(1, TrafficProposals.Presence(Idle with { Waiting = 7, Problem = "nothing else is known" }).Replicas);
        Assert.Null(TrafficProposals.Presence(Idle with { Problem = "nothing is known" }).Replicas);
    }

    [Fact]
    public void A_target_that_a_server_without_our_rules_has_stored_is_told() => Assert.Equal(
        new ProposalFailure("InvalidMetric", "inFlight needs a target.averageValue above 0"),
        TrafficProposals.Of(Metric(MetricTypes.InFlight, value: "3"), Idle, Counts(1)).Failure);

    private static ReplicaCounts Counts(int replicas) => new(replicas, replicas, replicas);

    private static AutoscalingMetric Metric(string type, string? average = null, string? value = null) => new()
    {
        Type = type,
        Target = new() { AverageValue = average is null ? null : new ResourceQuantity(average), Value = value is null ? null : new ResourceQuantity(value) },
    };
}
