using Microsoft.Extensions.Time.Testing;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hosts;
using Orchestrator.HostAgent.Probing;

namespace Orchestrator.HostAgent.Tests.Hosts;

/// <summary>Pings that the test answers, on a host whose only replica does not.</summary>
public sealed class EngineHeartbeatTests : IAsyncDisposable
{
    private readonly CountingTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly HostPulse _pulse;
    private readonly EngineHeartbeat _heartbeat;
    private readonly Task<EngineException?> _running;
    private volatile TaskCompletionSource _answer = new();
    private int _pings;
    private int _pauses;

    public EngineHeartbeatTests()
    {
        _pulse = new HostPulse(() => [("10.0.0.1", 1)], (_, _, _) => Task.FromResult(ProbeResult.Failed), () => { }, new LateEngines(), new SteadyClock(_time), _time);
        _heartbeat = new EngineHeartbeat(_pulse, _time);
        _pulse.EngineHeard();
        _running = _heartbeat.RunAsync(PingAsync, _stop.Token);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    [Fact]
    public async Task A_ping_that_is_late_makes_the_host_s_replicas_be_asked_and_what_they_say_counts_when_it_fails()
    {
        await SeePingAsync(1, EngineHeartbeat.Period);
        _time.Advance(EngineHeartbeat.Late);
        await AskAsync(rounds: 2);
        Assert.Equal(HostLife.EngineAnswers, _pulse.Life);

        Fail();
        await SeePingAsync(2, TimeSpan.Zero);
        await AskAsync(rounds: 1);
        Assert.Equal(HostLife.Silent, _pulse.Life);
    }

    [Fact]
    public async Task A_ping_that_is_answered_late_is_answered()
    {
        await SeePingAsync(1, EngineHeartbeat.Period);
        _time.Advance(EngineHeartbeat.Late);
        await AskAsync(rounds: 2);
        _time.Advance(TimeSpan.FromMilliseconds(500));
        await AnswerAsync();
        await SeeNoDoubtAsync();
    }

    [Fact]
    public async Task An_engine_that_answers_in_time_is_not_doubted()
    {
        await SeePingAsync(1, EngineHeartbeat.Period);
        _time.Advance(EngineHeartbeat.Late - TimeSpan.FromMilliseconds(1));
        await AnswerAsync();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await AskAsync(rounds: 2);
        await SeeNoDoubtAsync();
    }

    [Fact]
    public async Task Two_failures_in_a_row_end_it_and_one_does_not()
    {
        await SeePingAsync(1, EngineHeartbeat.Period);
        Fail();
        await SeePingAsync(2, TimeSpan.Zero);
        await AnswerAsync();
        await SeePingAsync(3, EngineHeartbeat.Period);
        Fail();
        await SeePingAsync(4, TimeSpan.Zero);
        Assert.False(_running.IsCompleted);

        Fail();
        Assert.Equal("ping 4 failed", (await _running.WaitAsync(Cancelled))?.Message);
    }

    [Fact]
    public async Task It_can_be_hurried_and_cancelled()
    {
        _heartbeat.Hurry();
        await SeePingAsync(1, TimeSpan.Zero);

        await _stop.CancelAsync();
        Assert.Null(await _running.WaitAsync(Cancelled));
    }

    private Task PingAsync(CancellationToken cancellationToken)
    {
        _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Increment(ref _pings);
        return _answer.Task.WaitAsync(cancellationToken);
    }

    private void Fail() => _answer.SetException(new EngineException(EngineFailure.Unanswered, $"ping {_pings} failed"));

    /// <summary>After the first ping: a first round is no second.</summary>
    private async Task SeeNoDoubtAsync()
    {
        await SeePingAsync(2, EngineHeartbeat.Period);
        Fail();
        await SeePingAsync(3, TimeSpan.Zero);
        await AskAsync(rounds: 1);
        Assert.Equal(HostLife.EngineAnswers, _pulse.Life);
    }

    private async Task AnswerAsync()
    {
        _time.Advance(TimeSpan.FromTicks(1));
        _answer.SetResult();
        await Eventually.True(() => _pulse.HeardAt == _time.GetUtcNow());
    }

    private async Task SeePingAsync(int number, TimeSpan after)
    {
        if (after > TimeSpan.Zero)
        {
            await Eventually.True(() => _time.Pauses > _pauses);
            _pauses = _time.Pauses;
            _time.Advance(after);
        }

        await Eventually.True(() => Volatile.Read(ref _pings) == number);
    }

    private async Task AskAsync(int rounds)
    {
        for (var i = 0; i < rounds; i++)
        {
            await _pulse.AskAsync(Cancelled);
        }
    }

    /// <summary>Knows how many pauses between two pings have begun: time that is moved on before one has would be none of it.</summary>
    private sealed class CountingTime() : FakeTimeProvider(new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero))
    {
        private int _pauses;

        public int Pauses => Volatile.Read(ref _pauses);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == EngineHeartbeat.Period)
            {
                Interlocked.Increment(ref _pauses);
            }

            return timer;
        }
    }
}
