using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Autoscaling;

namespace Orchestrator.ControlPlane.Tests.Autoscaling;

/// <summary>The cases of Kubernetes' own replica calculator: each replica requests one core.</summary>
public sealed class ResourceProposalsTests
{
    private const string Missing = "missing";
    private const string Unready = "unready";

    [Theory]
    [InlineData(3, 30, "300 500 700", 5, 50)]
    [InlineData(3, 30, "unready 500 700", 4, 60)]
    [InlineData(3, 30, "400 unready unready", 3, 40)]
    [InlineData(3, 100, "1010 1030 1020", 3, 102)] // Within the tolerance.
    [InlineData(5, 50, "100 300 500 250 250", 3, 28)]
    [InlineData(5, 50, "100 300 500 unready unready", 2, 30)]
    [InlineData(2, 100, "1000 missing", 2, 100)]
    [InlineData(2, 100, "1900 missing", 2, 190)]
    [InlineData(2, 100, "600 missing", 2, 60)]
    [InlineData(3, 50, "unready 450 missing", 3, 45)]
    [InlineData(3, 50, "unready 2000 missing", 4, 200)]
    [InlineData(4, 50, "unready 100 100 missing", 3, 10)]
    [InlineData(4, 100, "600 600 600 600", 3, 60)]
    public void As_kubernetes_has_it(int wanted, int target, string replicas, int asked, int utilization)
    {
        var proposal = Of(wanted, target, replicas);

        Assert.Equal((asked, utilization), (proposal.Replicas, proposal.Seen!.Current.AverageUtilization));
    }

    [Theory]
    [InlineData("missing missing", "cpu is not known: no replica that serves could be measured")]
    [InlineData("unready", "cpu is not known: no replica that serves could be measured")]
    [InlineData("", "cpu is not known: no replica that serves could be measured")]
    public void Without_one_that_was_measured_nothing_is_known(string replicas, string problem) =>
        Assert.Equal(new("FailedGetResourceMetric", problem), Of(3, 50, replicas).Failure);

    [Fact]
    public void A_share_of_no_request_is_none() => Assert.Equal(
        new("FailedGetResourceMetric", "memory is not known: the replicas request none: set spec.resources.requests.memory"),
        ResourceProposals.Of(new() { Type = MetricTypes.Memory, Target = new() { AverageUtilization = 50 } }, [new(Share.Measured, null, 1)], 1).Failure);

    [Fact]
    public void What_is_seen_is_told_in_the_words_of_quantities()
    {
        var cpu = Of(2, 50, "250 500").Seen!.Current;
        var memory = ResourceProposals.Of(
            new() { Type = MetricTypes.Memory, Target = new() { AverageUtilization = 50 } }, [new(Share.Measured, 4096, 1000), new(Share.Measured, 4096, 1001)], 2).Seen!.Current;

        Assert.Equal(("375m", 37), (cpu.AverageValue!.ToString(), cpu.AverageUtilization));
        Assert.Equal(("1k", 24), (memory.AverageValue!.ToString(), memory.AverageUtilization));
    }

    private static Proposal Of(int wanted, int target, string replicas) => ResourceProposals.Of(
        new() { Type = MetricTypes.Cpu, Target = new() { AverageUtilization = target } },
        [
            .. replicas.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(replica => replica switch
            {
                Missing => new MeasuredReplica(Share.Missing, 1),
                Unready => new MeasuredReplica(Share.Unready, 1),
                _ => new MeasuredReplica(Share.Measured, 1, decimal.Parse(replica, System.Globalization.CultureInfo.InvariantCulture) / 1000),
            }),
        ],
        wanted);
}
