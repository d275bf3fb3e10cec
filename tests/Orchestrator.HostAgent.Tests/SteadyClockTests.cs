using Orchestrator.HostAgent.Tests.World;

namespace Orchestrator.HostAgent.Tests;

public sealed class SteadyClockTests
{
    [Fact]
    public void It_begins_with_the_wall_clock_and_is_not_set_back_with_it()
    {
        var time = new SettableTime();
        var began = time.GetUtcNow();
        var clock = new SteadyClock(time);
        Assert.Equal(began, clock.Now);

        time.SetBack(TimeSpan.FromMinutes(10));
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(began.AddSeconds(3), clock.Now);
    }
}
