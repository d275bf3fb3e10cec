using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Cli.Serving;

namespace Orchestrator.Cli.Tests.Serving;

public sealed class IdleMemoryTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _done = [];
    private readonly Task _running;
    private long _allocated;
    private long _inUse;
    private volatile bool _serving;

    public IdleMemoryTests() =>
        _running = new IdleMemory(_time, Look, () => _serving, () => _done.Enqueue("give back")).RunAsync(_stop.Token);

    [Fact]
    public async Task It_is_given_back_after_the_start_and_after_work_once_it_is_quiet()
    {
        await Period(allocating: IdleMemory.Quiet);
        await Period(allocating: IdleMemory.Quiet - 1);
        await Period(allocating: 0);
        await Period(allocating: IdleMemory.Worthwhile);
        await Period(allocating: 0);
        await Period(allocating: 0);

        Assert.Equal(["look", "look", "look", "give back", "look", "look", "look", "give back", "look"], _done);
    }

    [Fact]
    public async Task A_large_heap_is_collected_only_after_as_much_work()
    {
        _inUse = 2 * IdleMemory.Worthwhile;
        await Period(allocating: 0);
        await Period(allocating: IdleMemory.Worthwhile);
        await Period(allocating: 0);
        await Period(allocating: IdleMemory.Worthwhile);
        await Period(allocating: 0);
        await Period(allocating: 0);

        Assert.Equal(["look", "look", "give back", "look", "look", "look", "look", "give back", "look"], _done);
    }

    [Fact]
    public async Task Nobody_who_is_served_waits_for_a_collection()
    {
        _serving = true;
        await Period(allocating: 0);
        await Period(allocating: 0);
        _serving = false;
        await Period(allocating: 0);
        await Period(allocating: 0);

        Assert.Equal(["look", "look", "look", "look", "give back", "look"], _done);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private MemoryTaken Look()
    {
        _done.Enqueue("look");
        return new(Volatile.Read(ref _allocated), Volatile.Read(ref _inUse));
    }

    /// <summary>A period passes, and what was allocated in it is looked at; all that follows from the look before is done by then.</summary>
    private async Task Period(long allocating)
    {
        var looks = Looks;
        Interlocked.Add(ref _allocated, allocating);
        _time.Advance(IdleMemory.Period);
        await Eventually.True(() => Looks > looks);
    }

    private int Looks => _done.Count(what => what == "look");
}
