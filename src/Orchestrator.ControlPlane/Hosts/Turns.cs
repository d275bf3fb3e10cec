namespace Orchestrator.ControlPlane.Hosts;

/// <summary>
/// Keeps what many ask for at once to a steady rate: a burst goes through as it comes, who comes after it is given a turn. What a
/// host would have asked for meanwhile is then done in one.
/// </summary>
/// <param name="apart">From one turn to the next.</param>
/// <param name="burst">So many need no turn after a quiet time.</param>
internal sealed class Turns(TimeSpan apart, int burst, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, TimeSpan> _given = [];
    private readonly long _began = time.GetTimestamp();
    private TimeSpan _next = -(burst * apart);

    /// <summary>Zero: now. Otherwise to be asked again after so long: the turn is kept for the name.</summary>
    public TimeSpan Wait(string name)
    {
        lock (_gate)
        {
            var now = time.GetElapsedTime(_began);
            if (!_given.TryGetValue(name, out var turn))
            {
                turn = _next = Latest(_next, now - (burst * apart)) + apart;
            }

            if (turn <= now)
            {
                _given.Remove(name);
                return TimeSpan.Zero;
            }

            _given[name] = turn;
            return turn - now;
        }
    }

    /// <summary>There will be no more of it.</summary>
    public void Forget(string name)
    {
        lock (_gate)
        {
            _given.Remove(name);
        }
    }

    private static TimeSpan Latest(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
