using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Tests.Containers;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.HostAgent.Usage;

namespace Orchestrator.HostAgent.Tests.Usage;

/// <summary>From counters to what is in use: when an engine is asked, and what is made of its answers.</summary>
public sealed class UsageSamplerTests : IDisposable
{
    private const string Id = "c1";
    private const ulong Second = 1_000_000_000;

    private readonly PassingTime _time = new();
    private readonly UsageSampler _sampler;
    private readonly Queue<Func<ContainerSample?>> _answers = new();
    private readonly SimulatedEngine _engine;
    private int _asked;

    public UsageSamplerTests()
    {
        _sampler = new UsageSampler(_time);
        _engine = new SimulatedEngine
        {
            OnSample = _ =>
            {
                _asked++;
                return Task.FromResult(_answers.Dequeue()());
            },
        };
    }

    public void Dispose()
    {
        _sampler.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public async Task The_first_time_two_samples_are_compared()
    {
        Answer((At: 10, Cpu: 5 * Second), (At: 12, Cpu: 6 * Second));

        var usage = await ReadAsync();

        Assert.Equal((0.5m, 7L, TimeSpan.FromSeconds(2), null), (usage.CpuCores, usage.MemoryBytes, usage.Window, usage.Problem));
        Assert.Equal(At(12), usage.Time);
        Assert.Equal(2, _asked);
    }

    [Fact]
    public async Task An_answer_is_given_again_while_it_is_fresh_and_then_one_sample_is_enough()
    {
        Answer((At: 10, Cpu: 0), (At: 11, Cpu: Second), (At: 21, Cpu: 2 * Second));
        var first = await ReadAsync();
        _time.Advance(UsageSampler.FreshFor - TimeSpan.FromTicks(1));
        Assert.Same(first, await ReadAsync());
        _time.Advance(TimeSpan.FromTicks(1));

        var next = await ReadAsync();

        Assert.Equal((0.1m, TimeSpan.FromSeconds(10), 3), (next.CpuCores, next.Window, _asked));
    }

    [Fact]
    public async Task A_counter_that_fell_is_of_another_run_and_two_new_samples_are_taken()
    {
        Answer((At: 10, Cpu: 8 * Second), (At: 11, Cpu: 9 * Second), (At: 21, Cpu: Second), (At: 22, Cpu: 3 * Second));
        await ReadAsync();
        _time.Advance(UsageSampler.FreshFor);

        Assert.Equal((2m, TimeSpan.FromSeconds(1), 4), ((await ReadAsync()).CpuCores, (await ReadAsync()).Window, _asked));
    }

    [Fact]
    public async Task A_sample_of_long_ago_is_not_compared_with()
    {
        Answer((At: 10, Cpu: 0), (At: 11, Cpu: Second), (At: 100, Cpu: Second), (At: 101, Cpu: 2 * Second));
        await ReadAsync();
        _time.Advance(UsageSampler.LongestWindow + TimeSpan.FromTicks(1));

        Assert.Equal(1m, (await ReadAsync()).CpuCores);
    }

    [Fact]
    public async Task A_start_between_two_samples_leaves_memory_known_and_the_processor_not()
    {
        Answer((At: 10, Cpu: 8 * Second), (At: 11, Cpu: Second));

        var usage = await ReadAsync();

        Assert.Equal((null, 7L, "its container has just been started anew"), (usage.CpuCores, usage.MemoryBytes, usage.Problem));
    }

    [Fact]
    public async Task One_that_is_gone_does_not_run_or_fails_between_is_unknown_and_says_why()
    {
        _answers.Enqueue(() => throw new EngineException(EngineFailure.NotFound, "No such container: c1"));
        Assert.Equal(ContainerUsage.Unknown("its container is gone"), await ReadAsync());

        _answers.Enqueue(() => null);
        Assert.Equal(ContainerUsage.Unknown("its container does not run"), await ReadAsync());

        Answer((At: 10, Cpu: 0));
        _answers.Enqueue(() => throw new EngineException(EngineFailure.Failed, "no cgroup"));
        Assert.Equal(ContainerUsage.Unknown("no cgroup"), await ReadAsync());
    }

    [Fact]
    public async Task An_engine_that_is_lost_fails_the_whole()
    {
        _answers.Enqueue(() => throw new EngineException(EngineFailure.Interrupted, "lost"));

        Assert.Equal("lost", (await Assert.ThrowsAsync<EngineException>(ReadAsync)).Message);
    }

    [Fact]
    public async Task Who_asks_at_the_same_time_gets_the_same_answer()
    {
        Answer((At: 10, Cpu: 0), (At: 11, Cpu: Second));

        var both = await Task.WhenAll(ReadAsync(), ReadAsync());

        Assert.Same(both[0], both[1]);
    }

    [Fact]
    public async Task Many_are_asked_for_side_by_side_but_not_all_at_once()
    {
        var (running, most, gate) = (0, 0, new Lock());
        using var engine = new SimulatedEngine
        {
            OnSample = async _ =>
            {
                lock (gate)
                {
                    most = Math.Max(most, ++running);
                }

                await Task.Yield();
                lock (gate)
                {
                    return running-- > 0 ? new ContainerSample(_time.GetUtcNow(), 0, 7) : null;
                }
            },
        };

        var answer = await _sampler.ReadAsync(engine, [.. Enumerable.Range(0, 1000).Select(i => $"c{i}")], TestContext.Current.CancellationToken);

        Assert.Equal(1000, answer.Count);
        Assert.InRange(most, 1, 64);
    }

    private async Task<ContainerUsage> ReadAsync() => (await _sampler.ReadAsync(_engine, [Id], TestContext.Current.CancellationToken))[Id];

    private void Answer(params (int At, ulong Cpu)[] samples)
    {
        foreach (var (at, cpu) in samples)
        {
            _answers.Enqueue(() => new ContainerSample(At(at), cpu, 7));
        }
    }

    private static DateTimeOffset At(int seconds) => DateTimeOffset.UnixEpoch.AddSeconds(seconds);
}
