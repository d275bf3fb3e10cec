using Orchestrator.HostAgent.Probing;
using Orchestrator.HostAgent.Tests.World;

namespace Orchestrator.HostAgent.Tests.Probing;

public sealed class ContainerProbeTests : IDisposable
{
    private readonly SettableTime _time = new();
    private readonly ProbeScheduler _scheduler;
    private readonly List<TimeSpan> _looks = [];
    private readonly DateTimeOffset _start;
    private ProbeOutcome _answer = ProbeOutcome.Failed("not yet");
    private readonly List<Exception> _faults = [];
    private int _told;

    private const string Throws = "a fault of ours";

    public ContainerProbeTests()
    {
        _scheduler = new ProbeScheduler(_time);
        _start = _time.GetUtcNow();
    }

    public void Dispose() => _scheduler.Dispose();

    [Fact]
    public void Until_its_first_pass_readiness_is_eager_and_backs_off_to_its_period()
    {
        using var probe = Start(Settings(ProbeKind.Readiness));
        Advance(TimeSpan.FromSeconds(35));

        Assert.Equal(
            [0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 22800, 32800],
            _looks.Select(look => look.TotalMilliseconds));
        Assert.False(probe.Verdict.Passing);
        Assert.Equal("not yet", probe.Verdict.Message);
    }

    [Fact]
    public void An_exec_is_repeated_less_eagerly()
    {
        using var probe = Start(Settings(ProbeKind.Readiness) with { Handler = new ProbeHandler.Exec(["true"]) });
        Advance(TimeSpan.FromSeconds(4));

        Assert.Equal([0, 500, 1000, 2000, 4000], _looks.Select(look => look.TotalMilliseconds));
    }

    [Fact]
    public void After_its_first_pass_it_comes_once_a_period_at_a_place_of_its_own()
    {
        _answer = ProbeOutcome.Passed;
        using var probe = Start(Settings(ProbeKind.Readiness));
        Advance(TimeSpan.FromSeconds(45));

        Assert.True(probe.Verdict is { Passing: true, EverPassed: true });
        Assert.Equal(1, _told);
        var turns = _looks.Skip(1).ToList();
        Assert.All(turns.Zip(turns.Skip(1)), pair => Assert.Equal(10, (pair.Second - pair.First).TotalSeconds, precision: 2));
        Assert.InRange(turns.Count, 4, 5);
    }

    [Fact]
    public void A_clock_that_is_set_back_holds_up_no_look()
    {
        _answer = ProbeOutcome.Passed;
        using var probe = Start(Settings(ProbeKind.Readiness));
        _time.SetBack(TimeSpan.FromMinutes(10));
        _looks.Clear();
        Advance(TimeSpan.FromSeconds(30));

        Assert.InRange(_looks.Count, 2, 4);
    }

    [Fact]
    public void Readiness_is_lost_after_as_many_failures_as_its_threshold_says_and_comes_back_with_one_pass()
    {
        _answer = ProbeOutcome.Passed;
        using var probe = Start(Settings(ProbeKind.Readiness) with { FailureThreshold = 3 });
        _answer = ProbeOutcome.Failed("500");
        Advance(TimeSpan.FromSeconds(20));
        Assert.True(probe.Verdict is { Passing: true, Failures: 2 });
        Advance(TimeSpan.FromSeconds(10));
        Assert.True(probe.Verdict is { Passing: false, Failures: 3, EverPassed: true });
        _answer = ProbeOutcome.Passed;
        Advance(TimeSpan.FromSeconds(10));
        Assert.True(probe.Verdict is { Passing: true, Failures: 0, Message: null });
    }

    [Fact]
    public void Failures_for_want_of_an_answer_are_told_from_a_row_with_a_bad_one_in_it()
    {
        _answer = ProbeOutcome.Passed;
        using var probe = Start(Settings(ProbeKind.Readiness));
        Assert.False(probe.Verdict.OnlyLate);
        _answer = ProbeOutcome.Late("nothing within 1 s");
        Advance(TimeSpan.FromSeconds(40));
        Assert.True(probe.Verdict is { Passing: false, OnlyLate: true });
        _answer = ProbeOutcome.Failed("503");
        Advance(TimeSpan.FromSeconds(10));
        _answer = ProbeOutcome.Late("nothing within 1 s");
        Advance(TimeSpan.FromSeconds(20));
        Assert.True(probe.Verdict is { Passing: false, OnlyLate: false });
        _answer = ProbeOutcome.Passed;
        Advance(TimeSpan.FromSeconds(10));
        _answer = ProbeOutcome.Late("nothing within 1 s");
        Advance(TimeSpan.FromSeconds(10));
        Assert.True(probe.Verdict is { Passing: true, OnlyLate: true, Failures: 1 });
    }

    [Fact]
    public void A_success_threshold_of_two_takes_two_passes_in_a_row_a_period_apart()
    {
        using var probe = Start(Settings(ProbeKind.Readiness) with { SuccessThreshold = 2 });
        _answer = ProbeOutcome.Passed;
        Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(2, _looks.Count);
        Assert.False(probe.Verdict.Passing);
        Advance(TimeSpan.FromSeconds(0.2));
        Assert.True(probe.Verdict.Passing);
    }

    [Fact]
    public void Liveness_passes_until_it_has_failed_often_enough()
    {
        using var probe = Start(Settings(ProbeKind.Liveness) with { InitialDelay = TimeSpan.FromSeconds(30) });
        Advance(TimeSpan.FromSeconds(30));
        Assert.Empty(_looks);
        Assert.True(probe.Verdict.Passing);
        Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(2, _looks.Count);
        Assert.True(probe.Verdict.Passing);
        Advance(TimeSpan.FromSeconds(10));
        Assert.False(probe.Verdict.Passing);
    }

    [Fact]
    public void What_could_not_be_looked_at_changes_nothing()
    {
        _answer = ProbeOutcome.Passed;
        using var probe = Start(Settings(ProbeKind.Readiness) with { FailureThreshold = 1 });
        _answer = ProbeOutcome.Unknown("the engine is not reachable");
        Advance(TimeSpan.FromMinutes(5));

        Assert.True(probe.Verdict.Passing);
        Assert.True(_looks.Count > 25);
    }

    [Fact]
    public void An_adopted_run_is_ready_until_it_fails()
    {
        using var probe = Start(Settings(ProbeKind.Readiness), passed: true);
        Assert.True(probe.Verdict is { Passing: true, EverPassed: true });
        Assert.Empty(_looks);
        Advance(TimeSpan.FromSeconds(30));
        Assert.False(probe.Verdict.Passing);
    }

    [Fact]
    public void Startup_is_eager_and_counts_no_more_failures_than_one_a_period()
    {
        using var probe = Start(Settings(ProbeKind.Startup));
        Advance(TimeSpan.FromSeconds(9.9));
        Assert.Equal([0, 100, 200, 400, 800, 1600, 3200, 6400], _looks.Select(look => look.TotalMilliseconds));
        Assert.True(probe.Verdict is { Passing: false, Failed: false, Failures: 1 });
        Advance(TimeSpan.FromSeconds(10));
        Assert.True(probe.Verdict is { Failed: false, Failures: 2 });
        Advance(TimeSpan.FromSeconds(0.2));

        // As the kubelet would: at 0, 10 and 20 s.
        Assert.True(probe.Verdict is { Failed: true, Failures: 3, Message: "not yet" });
        Assert.InRange(_looks[^1].TotalSeconds, 20, 20.02);
    }

    [Fact]
    public void Startup_that_has_passed_looks_no_more()
    {
        using var probe = Start(Settings(ProbeKind.Startup));
        Advance(TimeSpan.FromSeconds(1));
        _answer = ProbeOutcome.Passed;
        Advance(TimeSpan.FromMinutes(5));

        Assert.Equal([0, 100, 200, 400, 800, 1600], _looks.Select(look => look.TotalMilliseconds));
        Assert.True(probe.Verdict is { Passing: true, EverPassed: true, Failures: 0 });
    }

    [Fact]
    public void A_startup_whose_engine_is_away_is_tried_no_more_often_than_an_eager_one()
    {
        using var probe = Start(Settings(ProbeKind.Startup));
        Advance(TimeSpan.FromSeconds(5));
        _answer = ProbeOutcome.Unknown("the engine is not reachable");
        _looks.Clear();
        Advance(TimeSpan.FromSeconds(30));

        Assert.InRange(_looks.Count, 2, 300);
        Assert.True(probe.Verdict is { Failed: false, Failures: 1 });
    }

    [Fact]
    public void A_look_that_throws_is_told_of_and_the_next_one_comes()
    {
        _answer = ProbeOutcome.Passed;
        using var probe = Start(Settings(ProbeKind.Readiness));
        _answer = ProbeOutcome.Failed(Throws);
        Advance(TimeSpan.FromSeconds(30));
        Assert.InRange(_faults.Count, 2, 4);
        Assert.True(probe.Verdict is { Passing: true, Failures: 0 });
        _answer = ProbeOutcome.Failed("500");
        Advance(TimeSpan.FromSeconds(30));
        Assert.True(probe.Verdict is { Passing: false, Message: "500" });
    }

    [Fact]
    public void Told_are_the_first_failure_another_text_a_row_that_has_doubled_and_its_end()
    {
        _answer = ProbeOutcome.Passed;
        using var probe = Start(Settings(ProbeKind.Liveness) with { FailureThreshold = 100 });
        Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(1, _told);
        _answer = ProbeOutcome.Failed("500");
        Advance(TimeSpan.FromSeconds(160));
        Assert.Equal(16, probe.Verdict.Failures);
        Assert.Equal(1 + 5, _told);
        _answer = ProbeOutcome.Failed("503");
        Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1 + 6, _told);
        _answer = ProbeOutcome.Passed;
        Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(1 + 7, _told);
    }

    [Fact]
    public void A_look_that_came_early_by_the_wall_clock_does_not_have_its_turn_twice()
    {
        var period = TimeSpan.FromSeconds(10);
        var turn = _time.GetUtcNow() + ProbePacing.ToNextTurn(_time.GetUtcNow(), period, "uid");
        var early = ProbePacing.AfterLook(turn - TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(1), period, "uid");

        Assert.Equal(TimeSpan.FromSeconds(10.002), early);
        Assert.Equal(TimeSpan.FromSeconds(7), ProbePacing.AfterLook(turn.AddSeconds(3), TimeSpan.FromSeconds(3), period, "uid"));
        Assert.Equal(TimeSpan.Zero, ProbePacing.AfterLook(turn.AddSeconds(11), TimeSpan.FromSeconds(11), period, "uid"));
    }

    [Fact]
    public void The_initial_delay_counts_from_the_containers_start()
    {
        using var probe = Start(Settings(ProbeKind.Readiness) with { InitialDelay = TimeSpan.FromSeconds(5) }, ranFor: TimeSpan.FromSeconds(3));
        Advance(TimeSpan.FromSeconds(2.5));

        Assert.Equal(2, _looks[0].TotalSeconds);
    }

    [Fact]
    public void After_its_end_it_looks_no_more()
    {
        var probe = Start(Settings(ProbeKind.Readiness));
        probe.Dispose();
        Advance(TimeSpan.FromMinutes(1));

        Assert.Single(_looks);
    }

    [Fact]
    public void Replicas_have_different_places_in_the_period_and_each_always_the_same()
    {
        var now = _time.GetUtcNow();
        var waits = Enumerable.Range(0, 200).Select(i => ProbePacing.ToNextTurn(now, TimeSpan.FromSeconds(10), $"uid-{i}")).ToList();

        Assert.All(waits, wait => Assert.InRange(wait, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(10)));
        Assert.All(Enumerable.Range(0, 10), second =>
            Assert.InRange(waits.Count(wait => (int)wait.TotalSeconds == second || (second == 9 && (int)wait.TotalSeconds == 10)), 8, 40));
        var turn = now + waits[0];
        Assert.Equal(TimeSpan.FromSeconds(10), ProbePacing.ToNextTurn(turn, TimeSpan.FromSeconds(10), "uid-0"));
        Assert.Equal(TimeSpan.FromSeconds(3), ProbePacing.ToNextTurn(turn.AddSeconds(27), TimeSpan.FromSeconds(10), "uid-0"));
    }

    private static ProbeSettings Settings(ProbeKind kind) => new(
        kind, new ProbeHandler.Tcp(), TimeSpan.Zero, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1), SuccessThreshold: 1, FailureThreshold: 3);

    private ContainerProbe Start(ProbeSettings settings, bool passed = false, TimeSpan ranFor = default)
    {
        var probe = new ContainerProbe(
            settings,
            "5d3c1d3e",
            _ =>
            {
                _looks.Add(_time.GetUtcNow() - _start);
                return _answer.Message == Throws ? throw new InvalidOperationException(Throws) : Task.FromResult(_answer);
            },
            passed,
            _scheduler,
            () => _told++,
            _faults.Add,
            _time);
        probe.Start(ranFor);
        return probe;
    }

    // In small steps: a timer fires once for each step, and sets its next.
    private void Advance(TimeSpan by)
    {
        for (var passed = TimeSpan.Zero; passed < by; passed += TimeSpan.FromMilliseconds(10))
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }
    }
}
