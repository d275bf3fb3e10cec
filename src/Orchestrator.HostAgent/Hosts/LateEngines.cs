namespace Orchestrator.HostAgent.Hosts;

/// <summary>
/// How many hosts may be asked at once because their engines are merely late. Where more are, the machine that all of this runs on is the one that is late, and
/// thousands of connections a second would keep it so. A silent host is still found out by its engine's failing, a second later.
/// </summary>
internal sealed class LateEngines
{
    private const int AtOnce = 16;

    private int _asking;

    /// <returns>Whether this one may be asked; then <see cref="End"/> is to follow.</returns>
    public bool TryBegin()
    {
        if (Interlocked.Increment(ref _asking) <= AtOnce)
        {
            return true;
        }

        End();
        return false;
    }

    public void End() => Interlocked.Decrement(ref _asking);
}
