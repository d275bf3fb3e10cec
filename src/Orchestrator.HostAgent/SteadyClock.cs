namespace Orchestrator.HostAgent;

/// <summary>
/// The time by which waits are reckoned. It begins with the wall clock's and runs on by the monotonic one: a wall clock that is
/// set back would hold up every back-off and drain for as long. Not for what is written down, nor for what others wrote.
/// </summary>
internal sealed class SteadyClock(TimeProvider time)
{
    private readonly DateTimeOffset _beganAt = time.GetUtcNow();
    private readonly long _began = time.GetTimestamp();

    public DateTimeOffset Now => _beganAt + time.GetElapsedTime(_began);
}
