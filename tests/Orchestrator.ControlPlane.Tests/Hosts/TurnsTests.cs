using Microsoft.Extensions.Time.Testing;
using Orchestrator.ControlPlane.Hosts;

namespace Orchestrator.ControlPlane.Tests.Hosts;

public sealed class TurnsTests
{
    private static readonly TimeSpan Apart = TimeSpan.FromMilliseconds(50);

    private readonly FakeTimeProvider _time = new();
    private readonly Turns _turns;

    public TurnsTests() => _turns = new Turns(Apart, burst: 3, _time);

    [Fact]
    public void A_burst_goes_through_and_who_comes_after_it_gets_a_turn_each()
    {
        Assert.All(["a", "b", "c"], name => Assert.Equal(TimeSpan.Zero, _turns.Wait(name)));

        Assert.Equal(Apart, _turns.Wait("d"));
        Assert.Equal(2 * Apart, _turns.Wait("e"));
        _time.Advance(Apart);
        Assert.Equal(TimeSpan.Zero, _turns.Wait("d"));
        Assert.Equal(Apart, _turns.Wait("e"));
    }

    [Fact]
    public void Who_asks_again_keeps_the_turn_that_was_given()
    {
        Exhaust();

        Assert.Equal(Apart, _turns.Wait("d"));
        Assert.Equal(Apart, _turns.Wait("d"));
        Assert.Equal(2 * Apart, _turns.Wait("e"));
    }

    [Fact]
    public void A_quiet_time_brings_the_burst_back_and_no_more()
    {
        Exhaust();
        _time.Advance(TimeSpan.FromHours(1));

        Exhaust();
        Assert.Equal(Apart, _turns.Wait("d"));
    }

    [Fact]
    public void A_thousand_at_once_are_all_served_at_the_rate()
    {
        var waiting = Enumerable.Range(0, 1000).Select(i => $"host-{i}").ToHashSet();
        var rounds = 0;
        while (waiting.Count > 0)
        {
            waiting.RemoveWhere(name => _turns.Wait(name) == TimeSpan.Zero);
            _time.Advance(Apart);
            rounds++;
        }

        Assert.Equal(1000 - 3 + 1, rounds);
    }

    [Fact]
    public void The_turn_of_one_that_is_forgotten_is_not_kept()
    {
        Exhaust();
        _turns.Wait("d");
        _turns.Forget("d");
        _time.Advance(TimeSpan.FromHours(1));
        Exhaust();

        Assert.Equal(Apart, _turns.Wait("d"));
    }

    private void Exhaust() => Assert.All(["a", "b", "c"], name => Assert.Equal(TimeSpan.Zero, _turns.Wait(name)));
}
