using Microsoft.Extensions.Time.Testing;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Tests.Containers;
using Orchestrator.HostAgent.Usage;

namespace Orchestrator.HostAgent.Tests.Usage;

/// <summary>What an autoscaler is told: what is known, and no failure of an engine.</summary>
public sealed class AgentUsageTests : IDisposable
{
    private const ulong Second = 1_000_000_000;

    private readonly FakeTimeProvider _time = new();
    private readonly SimulatedEngine _engine;
    private readonly AgentUsage _usage;
    private Func<string, Task<ContainerSample?>> _sample = _ => Task.FromResult<ContainerSample?>(null);
    private bool _connected = true;

    public AgentUsageTests()
    {
        _engine = new() { OnSample = id => _sample(id) };
        _usage = new(() => _connected ? _engine : null, _time);
    }

    public void Dispose()
    {
        _usage.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public async Task Of_those_that_are_known()
    {
        var at = 10;
        _sample = id => id == "runs"
            ? Task.FromResult<ContainerSample?>(new(DateTimeOffset.FromUnixTimeSeconds(++at), (ulong)at * Second / 2, 4096))
            : Task.FromResult<ContainerSample?>(null);

        var (id, usage) = Assert.Single(await ReadAsync("runs", "ended"));

        Assert.Equal(("runs", 0.5m, 4096, TimeSpan.FromSeconds(1)), (id, usage.CpuCores, usage.MemoryBytes, usage.Window));
    }

    [Fact]
    public async Task Of_none_while_the_engine_is_out_of_reach()
    {
        _sample = _ => throw new EngineException(EngineFailure.Interrupted, "lost");
        Assert.Empty(await ReadAsync("runs"));

        _connected = false;
        Assert.Empty(await ReadAsync("runs"));
    }

    /// <summary>Time passes until there is an answer.</summary>
    private async Task<IReadOnlyDictionary<string, Runtime.Usage.ResourceUsage>> ReadAsync(params string[] containers)
    {
        var reading = _usage.ReadAsync(containers, TestContext.Current.CancellationToken);
        await Eventually.True(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            return reading.IsCompleted;
        });
        return await reading;
    }
}
