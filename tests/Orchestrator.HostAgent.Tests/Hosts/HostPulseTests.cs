using Microsoft.Extensions.Time.Testing;
using Orchestrator.HostAgent.Hosts;
using Orchestrator.HostAgent.Probing;

namespace Orchestrator.HostAgent.Tests.Hosts;

/// <summary>What is made of answers, which are the test's own: a replica answers if its port is even, and port 0 cannot be asked.</summary>
public sealed class HostPulseTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero));
    private readonly List<(string Address, int Port)> _replicas = [];
    private readonly LateEngines _late = new();
    private readonly List<int> _asked = [];
    private readonly HostPulse _pulse;
    private int _changes;

    public HostPulseTests() => _pulse = new HostPulse(
        () => [.. _replicas],
        (_, port, _) =>
        {
            _asked.Add(port);
            return Task.FromResult(port == 0 ? ProbeResult.Unknown : port % 2 == 0 ? ProbeResult.Passed : ProbeResult.Failed);
        },
        () => _changes++,
        _late,
        new SteadyClock(_time),
        _time);

    private static (string Address, int Port) Answering => ("10.0.0.1", 2);

    private static (string Address, int Port) Refusing => ("10.0.0.1", 1);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_is_silent_since_it_was_last_heard_when_neither_engine_nor_replicas_answer_twice()
    {
        _replicas.Add(Refusing);
        _pulse.EngineHeard();
        var heard = _pulse.HeardAt;
        _time.Advance(TimeSpan.FromSeconds(4));
        _pulse.EngineDoubted();

        await _pulse.AskAsync(Cancelled);
        Assert.Equal(HostLife.EngineAnswers, _pulse.Life);
        await _pulse.AskAsync(Cancelled);

        Assert.Equal((HostLife.Silent, heard, 2), (_pulse.Life, _pulse.HeardAt, _changes));
        await _pulse.AskAsync(Cancelled);
        Assert.Equal(2, _changes);
    }

    [Fact]
    public async Task No_socket_to_ask_with_is_no_silence()
    {
        _replicas.AddRange([Refusing, ("10.0.0.1", 0), Refusing]);
        _pulse.EngineHeard();
        _pulse.EngineLost();

        await AskAsync(rounds: 5);

        Assert.Equal((HostLife.EngineAnswers, 1), (_pulse.Life, _changes));
    }

    [Fact]
    public async Task One_replica_of_several_that_answers_is_enough()
    {
        _replicas.AddRange([Refusing, Refusing, Answering, Refusing]);
        _pulse.EngineLost();
        _time.Advance(TimeSpan.FromSeconds(4));

        await AskAsync(rounds: 1);

        Assert.Equal((HostLife.ReplicasAnswer, _time.GetUtcNow()), (_pulse.Life, _pulse.HeardAt));
    }

    [Fact]
    public async Task All_replicas_have_their_turn()
    {
        _replicas.AddRange([Refusing, Refusing, Refusing, Refusing, Answering]);
        _pulse.EngineLost();

        await AskAsync(rounds: 2);

        Assert.Equal(HostLife.ReplicasAnswer, _pulse.Life);
    }

    [Fact]
    public async Task A_round_without_an_answer_between_two_with_one_is_no_silence()
    {
        _pulse.EngineLost();
        foreach (var replica in ((string, int)[])[Answering, Refusing, Answering, Refusing])
        {
            _replicas.Clear();
            _replicas.Add(replica);
            await AskAsync(rounds: 1);
            Assert.Equal(HostLife.ReplicasAnswer, _pulse.Life);
        }
    }

    [Fact]
    public async Task Where_there_is_no_replica_to_ask_an_engine_in_doubt_is_not_a_lost_one()
    {
        _pulse.EngineHeard();
        _pulse.EngineDoubted();
        for (var i = 0; i < 3; i++)
        {
            await _pulse.AskAsync(Cancelled);
        }

        Assert.Equal(HostLife.EngineAnswers, _pulse.Life);
        _pulse.EngineLost();
        await AskAsync(rounds: 2);
        Assert.Equal(HostLife.Silent, _pulse.Life);
    }

    [Fact]
    public async Task An_engine_that_answers_again_ends_the_silence()
    {
        _pulse.EngineLost();
        await AskAsync(rounds: 2);
        Assert.Equal(HostLife.Silent, _pulse.Life);

        _time.Advance(TimeSpan.FromSeconds(4));
        _pulse.EngineHeard();
        Assert.Equal((HostLife.EngineAnswers, _time.GetUtcNow()), (_pulse.Life, _pulse.HeardAt));

        // A round that was under way tells of a time before.
        await AskAsync(rounds: 3);
        Assert.Equal(HostLife.EngineAnswers, _pulse.Life);
    }

    [Fact]
    public async Task An_engine_that_is_only_late_is_no_silence_and_what_was_found_meanwhile_counts_once_it_has_failed()
    {
        _replicas.Add(Refusing);
        _pulse.EngineHeard();
        _pulse.EngineLate();
        await AskAsync(rounds: 3);
        Assert.Equal((HostLife.EngineAnswers, 1), (_pulse.Life, _changes));

        _pulse.EngineDoubted();
        await AskAsync(rounds: 1);
        Assert.Equal(HostLife.Silent, _pulse.Life);
    }

    [Fact]
    public async Task What_was_found_while_an_engine_was_late_is_forgotten_when_it_answers()
    {
        _replicas.Add(Refusing);
        _pulse.EngineHeard();
        _pulse.EngineLate();
        await AskAsync(rounds: 3);
        _pulse.EngineHeard();

        _pulse.EngineDoubted();
        await AskAsync(rounds: 1);
        Assert.Equal((HostLife.EngineAnswers, 1), (_pulse.Life, _changes));
    }

    [Fact]
    public async Task Replicas_that_answer_for_an_engine_that_is_late_are_heard_and_nothing_is_told()
    {
        _replicas.Add(Answering);
        _pulse.EngineHeard();
        _time.Advance(TimeSpan.FromSeconds(4));
        _pulse.EngineLate();
        await AskAsync(rounds: 2);

        Assert.Equal((HostLife.EngineAnswers, _time.GetUtcNow(), 1), (_pulse.Life, _pulse.HeardAt, _changes));
        _pulse.EngineDoubted();
        await AskAsync(rounds: 1);
        Assert.Equal((HostLife.ReplicasAnswer, 2), (_pulse.Life, _changes));
    }

    [Fact]
    public async Task It_asks_by_itself_once_the_engine_is_in_doubt_and_no_longer_when_it_answers()
    {
        using var stop = new CancellationTokenSource();
        var running = _pulse.RunAsync(stop.Token);
        _replicas.Add(Answering);
        _pulse.EngineLost();
        await Eventually.True(() => _pulse.Life == HostLife.ReplicasAnswer);

        _replicas[0] = Refusing;
        await Eventually.True(() =>
        {
            _time.Advance(HostPulse.Period);
            return _pulse.Life == HostLife.Silent;
        });
        _pulse.EngineHeard();
        Assert.Equal(HostLife.EngineAnswers, _pulse.Life);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task While_one_answers_only_that_one_is_asked_and_all_have_their_turn_when_it_no_longer_does()
    {
        _replicas.AddRange([Refusing, ("10.0.0.1", 3), Answering, ("10.0.0.1", 4)]);
        _pulse.EngineLost();
        await AskAsync(rounds: 3);
        Assert.Equal([1, 3, 2, 2, 2], _asked);

        _replicas[2] = ("10.0.0.1", 5);
        await AskAsync(rounds: 1);
        Assert.Equal([5, 4, 1, 3], _asked[5..]);
        Assert.Equal(HostLife.ReplicasAnswer, _pulse.Life);
    }

    [Fact]
    public async Task Where_many_engines_are_late_at_once_a_host_is_asked_only_once_its_engine_has_failed()
    {
        while (_late.TryBegin())
        {
        }

        using var stop = new CancellationTokenSource();
        var running = _pulse.RunAsync(stop.Token);
        _replicas.Add(Answering);
        _pulse.EngineHeard();
        _pulse.EngineLate();
        _time.Advance(10 * HostPulse.Period);
        Assert.Empty(_asked);

        _pulse.EngineDoubted();
        await Eventually.True(() =>
        {
            _time.Advance(HostPulse.Period);
            return _pulse.Life == HostLife.ReplicasAnswer;
        });
        await stop.CancelAsync();
        await running;
    }

    private async Task AskAsync(int rounds)
    {
        for (var i = 0; i < rounds; i++)
        {
            await _pulse.AskAsync(Cancelled);
        }
    }
}
