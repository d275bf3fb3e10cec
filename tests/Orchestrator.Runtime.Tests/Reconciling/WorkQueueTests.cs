using Microsoft.Extensions.Time.Testing;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.Runtime.Tests.Reconciling;

public sealed class WorkQueueTests : IDisposable
{
    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    private readonly FakeTimeProvider _time = new();
    private readonly WorkQueue<string> _queue;

    public WorkQueueTests() => _queue = new WorkQueue<string>("test", _time);

    [Fact]
    public async Task Keys_are_handed_out_in_the_order_they_came()
    {
        _queue.Add("a");
        _queue.Add("b");

        Assert.Equal("a", await _queue.TakeAsync(TestEnd));
        Assert.Equal("b", await _queue.TakeAsync(TestEnd));
    }

    [Fact]
    public void A_key_that_waits_is_not_added_twice()
    {
        _queue.Add("a");
        _queue.Add("a");

        Assert.Equal(1, _queue.Depth);
    }

    [Fact]
    public async Task A_key_added_while_in_work_is_handed_out_again_only_after_it_is_done()
    {
        _queue.Add("a");
        await _queue.TakeAsync(TestEnd);
        _queue.Add("a");
        _queue.Add("a");
        Assert.Equal(0, _queue.Depth);

        _queue.Complete("a", TimeSpan.Zero);
        Assert.Equal(1, _queue.Depth);
    }

    [Fact]
    public async Task A_key_not_added_while_in_work_does_not_come_again()
    {
        _queue.Add("a");
        await _queue.TakeAsync(TestEnd);
        _queue.Complete("a", TimeSpan.Zero);

        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public void A_delayed_key_comes_when_its_delay_is_over()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(5));
        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, _queue.Depth);

        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _queue.Depth);
    }

    [Theory]
    [InlineData(5, 2)]
    [InlineData(2, 5)]
    public void Of_two_delays_for_a_key_the_sooner_counts(int first, int second)
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(first));
        _queue.AddAfter("a", TimeSpan.FromSeconds(second));
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(1, _queue.Depth);
    }

    [Fact]
    public async Task A_plain_add_takes_the_place_of_a_delay()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(2));
        _queue.Add("a");
        await _queue.TakeAsync(TestEnd);
        _queue.Complete("a", TimeSpan.Zero);
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public void Delayed_keys_come_in_the_order_they_fall_due()
    {
        _queue.AddAfter("late", TimeSpan.FromSeconds(3));
        _queue.AddAfter("soon", TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, _queue.Depth);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, _queue.Depth);
    }

    [Fact]
    public void A_wall_clock_that_is_set_back_holds_nothing_up()
    {
        var clock = new SetBackClock();
        using var queue = new WorkQueue<string>("clock-test", clock);
        queue.AddAfter("a", TimeSpan.FromSeconds(5));
        clock.SetBackBy = TimeSpan.FromHours(1);
        clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(1, queue.Depth);
    }

    [Fact]
    public void A_failing_key_waits_longer_each_time_up_to_a_minute_and_not_after_a_success()
    {
        var waits = Enumerable.Range(0, 20).Select(_ => WaitAfterFailure()).ToList();
        Assert.InRange(waits[0], TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(5));
        Assert.InRange(waits[4], TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(80));
        Assert.All(waits.Skip(15), wait => Assert.InRange(wait, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60)));

        _queue.Forget("a");
        Assert.InRange(WaitAfterFailure(), TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(5));
    }

    [Fact]
    public void A_queue_that_is_gone_takes_nothing_and_does_not_complain()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(1));
        _queue.Dispose();
        _queue.Add("b");
        _queue.AddAfter("c", TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(0, _queue.Depth);
    }

    public void Dispose() => _queue.Dispose();

    private TimeSpan WaitAfterFailure()
    {
        var started = _time.GetUtcNow();
        _queue.AddAfterFailure("a");
        while (_queue.Depth == 0)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        var key = _queue.TakeAsync(TestEnd).AsTask().GetAwaiter().GetResult();
        _queue.Complete(key, TimeSpan.Zero);
        return _time.GetUtcNow() - started;
    }

    /// <summary>Its wall clock can be set while the monotonic one goes on.</summary>
    private sealed class SetBackClock : FakeTimeProvider
    {
        public TimeSpan SetBackBy { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() - SetBackBy;

        public override long GetTimestamp() => base.GetUtcNow().Ticks;
    }
}
