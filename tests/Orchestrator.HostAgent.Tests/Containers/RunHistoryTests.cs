using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;

namespace Orchestrator.HostAgent.Tests.Containers;

public sealed class RunHistoryTests
{
    private const int Hour = 3600;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_first_run_is_no_restart()
    {
        var history = See(RunHistory.From(null), Running(0));

        Assert.Equal(0, history.Restarts);
        Assert.Equal(0, history.ShortRuns);
        Assert.Null(history.LastTermination);
    }

    [Fact]
    public void A_crash_seen_in_all_its_steps_counts_once()
    {
        var history = See(RunHistory.From(null), Running(0));
        history = See(history, Ended(ContainerState.Restarting, from: 0, to: 60, exitCode: 137, restarts: 1));
        history = See(history, Running(61, restarts: 1));

        Assert.Equal(1, history.Restarts);
        Assert.Equal(0, history.ShortRuns);
        Assert.Equal((137, "Error"), (history.LastTermination!.ExitCode, history.LastTermination.Reason));
    }

    [Fact]
    public void Restarts_between_two_looks_are_counted_by_the_engines_counter()
    {
        var history = See(RunHistory.From(null), Running(0));
        history = See(history, Running(3, restarts: 4, finished: 2), Died(2, exitCode: 1));

        Assert.Equal(4, history.Restarts);
        Assert.Equal(4, history.ShortRuns);
        Assert.Equal(1, history.LastTermination!.ExitCode);
    }

    [Fact]
    public void An_end_that_only_its_event_told_of_is_known_by_its_exit_code_and_length()
    {
        var history = See(RunHistory.From(null), Running(0));
        history = See(history, Running(601, restarts: 1, finished: 600), Died(600, exitCode: 137));

        Assert.Equal(1, history.Restarts);
        Assert.Equal(0, history.ShortRuns);
        Assert.Equal((137, "Error"), (history.LastTermination!.ExitCode, history.LastTermination.Reason));
    }

    [Fact]
    public void The_end_of_a_run_whose_beginning_nobody_saw_is_told_as_the_engine_tells_it()
    {
        var history = See(RunHistory.From(null), Running(0));
        var ended = Ended(ContainerState.Restarting, from: 600, to: 630, exitCode: 137, restarts: 2) with { OutOfMemory = true };
        history = See(history, ended, at: 630);

        Assert.Equal((137, "OOMKilled"), (history.LastTermination!.ExitCode, history.LastTermination.Reason));
        Assert.Equal((1, 0), (history.Restarts, history.ShortRuns));
    }

    [Fact]
    public void An_event_that_was_known_before_the_end_is_of_an_earlier_one()
    {
        var history = See(RunHistory.From(null), Running(0));
        history = See(history, Running(6, restarts: 2, finished: 5), Died(2, exitCode: 1));

        Assert.Equal((null, "Unknown"), (history.LastTermination!.ExitCode, history.LastTermination.Reason));
    }

    [Fact]
    public void An_event_that_came_before_the_look_at_the_end_before_it_is_not_lost()
    {
        var history = See(RunHistory.From(null), Running(0));
        var died = Died(3, exitCode: 4);
        history = See(history, Ended(ContainerState.Restarting, from: 0, to: 1, exitCode: 1, restarts: 1), died);
        Assert.Equal(1, history.LastTermination!.ExitCode);

        history = See(history, Running(4, restarts: 2, finished: 3), died);

        Assert.Equal((4, "Error"), (history.LastTermination!.ExitCode, history.LastTermination.Reason));
    }

    [Fact]
    public void The_counter_that_a_start_through_the_API_has_zeroed_does_not_lower_the_count()
    {
        var history = See(RunHistory.From(null), Running(0));
        history = See(history, Ended(ContainerState.Restarting, from: 0, to: 1, exitCode: 1, restarts: 1));
        history = See(history, Running(2, restarts: 1));
        history = See(history, Ended(ContainerState.Exited, from: 2, to: 3, exitCode: 1, restarts: 1));
        history = See(history, Running(20, restarts: 0));

        Assert.Equal(2, history.Restarts);
    }

    [Fact]
    public void A_new_container_of_the_same_Replica_is_a_restart()
    {
        var history = See(RunHistory.From(null), Running(0));
        history = See(history, Running(30, id: "c2"));

        Assert.Equal(1, history.Restarts);
        Assert.Equal(0, history.ShortRuns);
    }

    [Fact]
    public void An_adopted_run_that_is_in_the_status_counts_nothing()
    {
        var status = new ReplicaStatus { ContainerId = "c1", StartedAt = Start.UtcDateTime, Restarts = 5 };
        var history = See(RunHistory.From(status), Running(0, restarts: 2));

        Assert.Equal(5, history.Restarts);
    }

    [Fact]
    public void An_adopted_container_that_restarted_meanwhile_counts_what_is_certain()
    {
        var status = new ReplicaStatus { ContainerId = "c1", StartedAt = Start.UtcDateTime, Restarts = 1 };

        Assert.Equal(2, See(RunHistory.From(status), Running(100, restarts: 0)).Restarts);
        Assert.Equal(2, See(RunHistory.From(status), Running(100, restarts: 2)).Restarts);
        Assert.Equal(6, See(RunHistory.From(status), Running(100, restarts: 6)).Restarts);
    }

    [Fact]
    public void Three_short_runs_are_a_crash_loop_and_the_back_off_doubles_up_to_five_minutes()
    {
        var history = See(RunHistory.From(null), Running(0));
        for (var run = 0; run < 2; run++)
        {
            history = See(history, Ended(ContainerState.Restarting, from: run * 10, to: (run * 10) + 1, exitCode: 1, restarts: run + 1));
            history = See(history, Running((run + 1) * 10, restarts: run + 1));
        }

        Assert.False(history.IsCrashLoop);
        history = See(history, Ended(ContainerState.Restarting, from: 20, to: 21, exitCode: 1, restarts: 3));
        Assert.True(history.IsCrashLoop);
        Assert.Equal(
            [10, 20, 40, 80, 160, 300, 300],
            Enumerable.Range(3, 7).Select(runs => (history with { ShortRuns = runs }).Backoff.TotalSeconds));
    }

    [Fact]
    public void A_long_run_ends_the_row_of_short_ones()
    {
        var history = See(RunHistory.From(null) with { ShortRuns = 2 }, Running(0));
        history = See(history, Ended(ContainerState.Restarting, from: 0, to: 10, exitCode: 1, restarts: 1));

        Assert.Equal(0, history.ShortRuns);
    }

    [Fact]
    public void In_a_crash_loop_a_run_must_last_as_long_as_the_wait_before_it()
    {
        var looping = See(RunHistory.From(null) with { ShortRuns = 5 }, Running(0, always: false));

        Assert.Equal(6, See(looping, Ended(ContainerState.Exited, from: 0, to: 39, exitCode: 1, always: false)).ShortRuns);
        Assert.Equal(0, See(looping, Ended(ContainerState.Exited, from: 0, to: 40, exitCode: 1, always: false)).ShortRuns);
        Assert.Equal(Start.AddSeconds(40), looping.StableAt);
    }

    [Fact]
    public void A_restarted_agent_goes_on_with_the_crash_loop_it_had_taken_over()
    {
        var status = new ReplicaStatus { ContainerId = "c1", StartedAt = Start.UtcDateTime, Restarts = 7 };
        var history = See(RunHistory.From(status), Ended(ContainerState.Exited, from: 0, to: 1, exitCode: 1, always: false));

        Assert.True(history.IsCrashLoop);
        Assert.Equal(7, history.Restarts);
        Assert.Equal(Start, history.EndSeenAt);
    }

    [Fact]
    public void A_run_that_ends_after_the_engine_s_clock_was_set_back_has_ended_and_lasted_as_long_as_we_saw_it()
    {
        var history = See(RunHistory.From(null), Running(0), at: 0);
        history = See(history, Ended(ContainerState.Exited, from: 0, to: 60 - Hour, exitCode: 3), at: 60);
        Assert.Equal((3, 0), (history.LastTermination!.ExitCode, history.ShortRuns));

        history = See(history, Running(61 - Hour, finished: 60 - Hour), at: 61);
        history = See(history, Ended(ContainerState.Exited, from: 61 - Hour, to: 63 - Hour, exitCode: 4), at: 63);
        Assert.Equal((1, 1, 4), (history.Restarts, history.ShortRuns, history.LastTermination!.ExitCode));
    }

    [Fact]
    public void A_run_that_was_short_is_not_made_long_by_an_engine_s_clock_that_is_set_forward()
    {
        var history = See(RunHistory.From(null) with { ShortRuns = 2 }, Ended(ContainerState.Restarting, from: -2, to: -1, exitCode: 1), at: 0);
        history = See(history, Running(1, restarts: 1), at: 1);
        history = See(history, Ended(ContainerState.Restarting, from: 1, to: 3 + Hour, exitCode: 1, restarts: 2), at: 3);

        Assert.Equal(4, history.ShortRuns);
    }

    [Fact]
    public void Ends_between_two_looks_are_counted_after_the_engine_s_clock_was_set_back()
    {
        var history = See(RunHistory.From(null), Running(0), at: 0);
        history = See(history, Ended(ContainerState.Restarting, from: 0, to: 1, exitCode: 1, restarts: 1), at: 1);
        history = See(history, Running(2 - Hour, restarts: 1, finished: 1), at: 2);
        for (var run = 2; run <= 3; run++)
        {
            history = See(history, Running((2 * run) - Hour, restarts: run, finished: (2 * run) - 1 - Hour), Died((2 * run) - 1 - Hour, exitCode: 7), at: 2 * run);
        }

        Assert.Equal((3, 3, 7), (history.Restarts, history.ShortRuns, history.LastTermination!.ExitCode));
    }

    [Theory]
    [InlineData(Hour)]
    [InlineData(-Hour)]
    public void A_restart_with_a_jump_of_the_engine_s_clock_in_between_is_one_and_found_again(int jump)
    {
        var history = See(RunHistory.From(null), Running(0), at: 0);
        history = See(history, Ended(ContainerState.Restarting, from: 0, to: 60, exitCode: 1, restarts: 1), at: 60);
        history = See(history, Running(61 + jump, restarts: 1, finished: 60), at: 61);

        Assert.Equal((1, 0), (history.Restarts, history.ShortRuns));
        Assert.Equal(1, See(history, Running(61 + jump, restarts: 1, finished: 60), at: 1000).Restarts);
        var written = new ReplicaStatus { ContainerId = "c1", StartedAt = history.Run!.Value.UtcDateTime, Restarts = 1, LastTermination = history.LastTermination };
        Assert.Equal(1, See(RunHistory.From(written), Running(61 + jump, restarts: 1, finished: 60), at: 2000).Restarts);
    }

    [Theory]
    [InlineData(0, false, null, "Completed")]
    [InlineData(1, false, null, "Error")]
    [InlineData(137, true, null, "OOMKilled")]
    [InlineData(137, false, "LivenessProbeFailed", "LivenessProbeFailed")]
    public void An_end_has_a_reason(long exitCode, bool outOfMemory, string? killReason, string reason)
    {
        var ended = Ended(ContainerState.Exited, from: 0, to: 60, exitCode: exitCode) with { OutOfMemory = outOfMemory };
        var history = See(RunHistory.From(null), Running(0)).Observe(ended, killReason, null, Start);

        Assert.Equal(reason, history.LastTermination!.Reason);
    }

    /// <param name="at">Seconds by our clock; the snapshot's are the engine's.</param>
    private static RunHistory See(RunHistory history, ContainerSnapshot seen, ReportedEnd? reported = null, int at = 0) =>
        history.Observe(seen, null, reported, Start.AddSeconds(at));

    /// <param name="at">Seconds by the engine's clock.</param>
    private static ReportedEnd Died(int at, long exitCode) => new(exitCode, Start.AddSeconds(at));

    private static ContainerSnapshot Running(int from, long restarts = 0, string id = "c1", int? finished = null, bool always = true) =>
        Snapshots.Of(
            ContainerState.Running, always, Start.AddSeconds(from), finished is { } end ? Start.AddSeconds(end) : null, restarts: restarts, id: id);

    private static ContainerSnapshot Ended(ContainerState state, int from, int to, long exitCode, long restarts = 0, bool always = true) =>
        Snapshots.Of(state, always, Start.AddSeconds(from), Start.AddSeconds(to), exitCode, restarts);
}
