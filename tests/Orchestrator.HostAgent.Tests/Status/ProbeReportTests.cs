using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Probing;
using Orchestrator.HostAgent.Status;
using Orchestrator.HostAgent.Tests.Containers;

namespace Orchestrator.HostAgent.Tests.Status;

/// <summary>What of the looks is written into the status, and when.</summary>
public sealed class ProbeReportTests
{
    private static readonly ProbeVerdict Passing = new(
        Passing: true, EverPassed: true, Failed: false, OnlyLate: false, Looks: 4, Message: null, Failures: 0, IsSettled: true, IsWorthTelling: false);

    private readonly ContainerSnapshot _run = Snapshots.Of(ContainerState.Running);
    private readonly ProbeReport _report = new(written: null);
    private DateTimeOffset _now = new(2026, 1, 1, 12, 0, 0, 500, TimeSpan.Zero);

    [Fact]
    public void A_result_that_changes_is_told_at_once()
    {
        Assert.Null(Take(Passing));
        Assert.Equal((ProbeResults.Passing, 0, null), Shown(_report.Status!.Readiness));
        Assert.Null(Take(Failing("500", 3)));
        Assert.Equal((ProbeResults.Failing, 3, "500"), Shown(_report.Status!.Readiness));
        Assert.Equal(new DateTime(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc), _report.Status.Readiness!.LastFailure!.At);
        Assert.Null(Take(Passing));
        Assert.Equal((ProbeResults.Passing, 0, "500"), Shown(_report.Status!.Readiness));
    }

    [Fact]
    public void A_text_that_differs_each_time_is_told_every_few_seconds()
    {
        Take(Failing("0", 3));
        var told = new List<string>();
        for (var look = 1; look <= 60; look++)
        {
            _now += TimeSpan.FromSeconds(1);
            Take(Failing($"{look}", 3 + look));
            if (told.LastOrDefault() != _report.Status!.Readiness!.LastFailure!.Message)
            {
                told.Add(_report.Status.Readiness.LastFailure.Message!);
            }
        }

        Assert.Equal(Enumerable.Range(0, 13).Select(i => $"{5 * i}"), told);
    }

    [Fact]
    public void What_was_held_back_is_come_back_for()
    {
        Take(Passing);
        var due = Take(Failing("slow", 1) with { Passing = true });
        Assert.Equal(_now + ProbeReport.Spacing, due);
        Assert.Equal((ProbeResults.Passing, 0, null), Shown(_report.Status!.Readiness));
        _now = due!.Value;
        Assert.Null(Take(Failing("slow", 1) with { Passing = true }));
        Assert.Equal((ProbeResults.Passing, 1, "slow"), Shown(_report.Status!.Readiness));
    }

    [Fact]
    public void A_row_of_failures_that_says_the_same_is_told_when_it_has_doubled()
    {
        Take(Failing("500", 3));
        var told = new HashSet<int>();
        for (var failures = 4; failures <= 100; failures++)
        {
            _now += TimeSpan.FromSeconds(10);
            Take(Failing("500", failures));
            told.Add(_report.Status!.Readiness!.Failures);
        }

        Assert.Equal([3, 6, 12, 24, 48, 96], told);
    }

    [Fact]
    public void The_first_failures_of_a_start_are_not_told()
    {
        Take(Failing("refused", 1) with { IsSettled = false, EverPassed = false });
        Assert.Equal((ProbeResults.Unknown, 0, null), Shown(_report.Status!.Readiness));
    }

    [Fact]
    public void A_new_run_is_unknown_and_the_last_failure_stays()
    {
        Take(Failing("500", 3));
        var next = _run with { StartedAt = _now };
        _report.Take(null, Failing("refused", 1) with { Looks = 0, EverPassed = false }, null, next, _now, _now);
        Assert.Equal((ProbeResults.Unknown, 0, "500"), Shown(_report.Status!.Readiness));
        _report.Take(null, null, null, container: null, _now, _now);
        Assert.Equal((ProbeResults.Unknown, 0, "500"), Shown(_report.Status!.Readiness));
    }

    [Fact]
    public void An_adopted_run_is_told_of_as_before_until_it_is_looked_at()
    {
        var status = new ReplicaStatus
        {
            ContainerId = _run.Id,
            StartedAt = _run.StartedAt?.UtcDateTime,
            Probes = new ProbesStatus { Liveness = new ProbeStatus { Result = ProbeResults.Passing, Failures = 1, LastFailure = new ProbeFailure { Message = "500" } } },
        };
        var unlooked = new ProbeVerdict(
            Passing: true, EverPassed: false, Failed: false, OnlyLate: false, Looks: 0, Message: null, Failures: 0, IsSettled: true, IsWorthTelling: false);
        var report = new ProbeReport(status);
        report.Take(null, null, unlooked, _run, _now, _now);
        Assert.Equal((ProbeResults.Passing, 1, "500"), Shown(report.Status!.Liveness));
        report.Take(null, null, unlooked, _run with { StartedAt = _now }, _now, _now);
        Assert.Equal((ProbeResults.Unknown, 0, "500"), Shown(report.Status!.Liveness));
    }

    private static ProbeVerdict Failing(string message, int failures) =>
        Passing with { Passing = false, Failed = true, Message = message, Failures = failures };

    private static (string?, int, string?) Shown(ProbeStatus? status) => (status!.Result, status.Failures, status.LastFailure?.Message);

    private DateTimeOffset? Take(ProbeVerdict readiness) => _report.Take(null, readiness, null, _run, _now, _now);
}
