namespace Orchestrator.Testing;

/// <summary>
/// Time that passes because users take it: between two visits, in the middle of an upload, before somebody pulls a plug. Never a wait
/// for something to have happened: that is <see cref="Eventually"/>'s.
/// </summary>
public static class Pace
{
    public static Task PassAsync(TimeSpan time, CancellationToken cancellationToken = default) => Task.Delay(time, TimeProvider.System, cancellationToken);
}
