using Microsoft.Extensions.Time.Testing;

namespace Orchestrator.HostAgent.Tests.World;

/// <summary>Time that a test moves on, and whose wall clock can be set back as an administrator or NTP does: nothing else goes back with it.</summary>
internal sealed class SettableTime() : FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
{
    private TimeSpan _behind;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() - _behind;

    public override long GetTimestamp() => base.GetUtcNow().Ticks;

    public void SetBack(TimeSpan by) => _behind += by;
}
