using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.Runtime.Tests.Reconciling;

public sealed class ReconcileLoopTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly WorkQueue<string> _queue;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public ReconcileLoopTests() => _queue = new WorkQueue<string>("loop-test", _time);

    [Fact]
    public async Task One_key_is_never_reconciled_twice_at_once()
    {
        var inWork = new ConcurrentDictionary<string, int>();
        var twice = 0;
        var rounds = 0;
        Run(workers: 4, async (key, cancellation) =>
        {
            if (inWork.AddOrUpdate(key, 1, (_, count) => count + 1) > 1)
            {
                Interlocked.Increment(ref twice);
            }

            // Comes in again while it is in work.
            if (Interlocked.Increment(ref rounds) < 400)
            {
                _queue.Add("a");
                _queue.Add("b");
            }

            await Task.Yield();
            inWork.AddOrUpdate(key, 0, (_, count) => count - 1);
            return ReconcileResult.Done;
        });
        _queue.Add("a");
        _queue.Add("b");
        await Eventually.True(() => Volatile.Read(ref rounds) >= 400);

        Assert.Equal(0, twice);
    }

    [Fact]
    public async Task Different_keys_are_reconciled_at_once()
    {
        var inWork = new ConcurrentBag<string>();
        var release = new TaskCompletionSource();
        Run(workers: 2, async (key, cancellation) =>
        {
            inWork.Add(key);
            await release.Task;
            return ReconcileResult.Done;
        });
        _queue.Add("a");
        _queue.Add("b");

        try
        {
            await Eventually.See(() => inWork.Order(StringComparer.Ordinal), seen => seen.SequenceEqual(["a", "b"]));
        }
        finally
        {
            release.SetResult();
        }
    }

    [Fact]
    public async Task A_failed_key_comes_again_after_its_back_off()
    {
        var tries = 0;
        Run(workers: 1, (_, _) => ++tries < 3 ? throw new InvalidOperationException("not yet") : Task.FromResult(ReconcileResult.Done));
        _queue.Add("a");
        await Advancing(() => tries == 3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lost_race_comes_again_too(bool changed)
    {
        var tries = 0;
        ApiException cause = changed ? new ConflictException(null, null) : new NotFoundException(null, null);
        Run(workers: 1, (_, _) => ++tries < 2 ? throw cause : Task.FromResult(ReconcileResult.Done));
        _queue.Add("a");
        await Advancing(() => tries == 2);
    }

    [Fact]
    public async Task A_reconcile_says_when_it_wants_to_look_again()
    {
        var seen = new ConcurrentQueue<DateTimeOffset>();
        Run(workers: 1, (_, _) =>
        {
            seen.Enqueue(_time.GetUtcNow());
            return Task.FromResult(seen.Count == 1 ? ReconcileResult.After(TimeSpan.FromMinutes(1)) : ReconcileResult.Done);
        });
        _queue.Add("a");
        await Advancing(() => seen.Count == 2, TimeSpan.FromSeconds(10));

        Assert.True(seen.Last() - seen.First() >= TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Stopping_waits_for_the_reconciles_under_way()
    {
        var entered = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        Run(workers: 1, async (_, _) =>
        {
            entered.SetResult();
            await release.Task;
            return ReconcileResult.Done;
        });
        _queue.Add("a");
        await entered.Task;
        await _stop.CancelAsync();
        Assert.False(_running.IsCompleted);

        release.SetResult();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _queue.Dispose();
        _stop.Dispose();
    }

    private void Run(int workers, Func<string, CancellationToken, Task<ReconcileResult>> reconcile) =>
        _running = new ReconcileLoop<string>(_queue, reconcile, workers, NullLogger.Instance, _time).RunAsync(_stop.Token);

    private Task Advancing(Func<bool> until, TimeSpan? step = null) => Eventually.True(() =>
    {
        _time.Advance(step ?? TimeSpan.FromMilliseconds(5));
        return until();
    });
}
