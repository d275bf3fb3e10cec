using Microsoft.Extensions.Time.Testing;

namespace Orchestrator.ControlPlane.Tests.Acme;

/// <summary>A clock on which waits take no real time, and nothing else takes any: whoever waits moves it.</summary>
internal sealed class EagerClock() : FakeTimeProvider(TimeProvider.System.GetUtcNow())
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime > TimeSpan.Zero)
        {
            // Not before the caller has its timer.
            ThreadPool.QueueUserWorkItem(_ => Advance(dueTime));
        }

        return timer;
    }
}
