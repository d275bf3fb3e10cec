using Orchestrator.HostAgent.Probing;

namespace Orchestrator.HostAgent.Hosts;

/// <summary>What is known of a host's life.</summary>
internal enum HostLife
{
    /// <summary>Nothing is known yet, or what was known is in doubt and not refuted.</summary>
    Unknown,

    /// <summary>Its engine answers.</summary>
    EngineAnswers,

    /// <summary>Its engine does not, but a replica on it does.</summary>
    ReplicasAnswer,

    /// <summary>Neither does.</summary>
    Silent,
}

/// <summary>
/// Tells a host that is gone from one whose engine is: as soon as the engine is in doubt, the ports of its replicas are tried. What
/// a dead or hanging engine leaves behind goes on serving, and is not to be replaced in a hurry. An answer that is only late is asked about as
/// well, so that what is found counts if it never comes; by itself it changes nothing.
/// </summary>
/// <param name="replicas">Where those are that should answer, by what was last known of them.</param>
/// <param name="ask">Whether a connection to one of them comes about.</param>
/// <param name="changed">Told when <see cref="Life"/> has changed.</param>
/// <param name="late">Shared by all hosts.</param>
internal sealed class HostPulse(
    Func<IReadOnlyList<(string Address, int Port)>> replicas,
    Func<string, int, CancellationToken, Task<ProbeResult>> ask,
    Action changed,
    LateEngines late,
    SteadyClock clock,
    TimeProvider time)
{
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    /// <summary>After a round with an answer: an engine may be down for long, and thousands may be at once.</summary>
    public static readonly TimeSpan CalmPeriod = TimeSpan.FromSeconds(1);

    /// <summary>What one replica gets to answer.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    /// <summary>Rounds in a row without an answer: a lost packet is no silence.</summary>
    private const int Misses = 2;

    /// <summary>Replicas asked in one round. One that answers is enough, and one may be down by itself.</summary>
    private const int Asked = 3;

    private readonly WakeUp _wake = new(time);
    private readonly Lock _gate = new();
    private DateTimeOffset _heardAt = clock.Now;
    private Doubt _doubt;
    private int _misses;
    private int _turn;
    private bool _answered;

    /// <summary>What there is against the engine, since it last answered.</summary>
    private enum Doubt
    {
        None,
        Late,
        Failed,
        Lost,
    }

    public HostLife Life { get; private set; }

    /// <summary>When something on the host last answered; before anything did, when we began to ask. By the steady clock.</summary>
    public DateTimeOffset HeardAt
    {
        get
        {
            lock (_gate)
            {
                return _heardAt;
            }
        }
    }

    /// <summary>The engine has answered.</summary>
    public void EngineHeard()
    {
        lock (_gate)
        {
            _doubt = Doubt.None;
        }

        Heard(HostLife.EngineAnswers);
    }

    /// <summary>The engine has been asked and takes its time.</summary>
    public void EngineLate() => Raise(Doubt.Late);

    /// <summary>The engine has not answered in time, once.</summary>
    public void EngineDoubted() => Raise(Doubt.Failed);

    /// <summary>The connection to the engine is given up, or could not be made.</summary>
    public void EngineLost() => Raise(Doubt.Lost);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            Doubt doubt;
            lock (_gate)
            {
                doubt = _doubt;
            }

            if (doubt > Doubt.Late)
            {
                await AskAsync(cancellationToken);
            }
            else if (doubt == Doubt.Late && late.TryBegin())
            {
                try
                {
                    await AskAsync(cancellationToken);
                }
                finally
                {
                    late.End();
                }
            }

            await _wake.WaitAsync(
                doubt == Doubt.None ? System.Threading.Timeout.InfiniteTimeSpan : _answered ? CalmPeriod : Period, cancellationToken);
        }
    }

    /// <summary>One round. To be called when the engine is in doubt.</summary>
    internal async Task AskAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var all = replicas();
        var heard = _answered && await AskAsync(all, 1, cancellationToken) == ProbeResult.Passed ? ProbeResult.Passed : await AskAsync(all, Asked, cancellationToken);
        _answered = heard == ProbeResult.Passed;
        if (_answered)
        {
            Heard(HostLife.ReplicasAnswer);
            return;
        }

        if (heard == ProbeResult.Unknown)
        {
            return;
        }

        // A process that slept has seen no silence but its own.
        var slept = time.GetElapsedTime(began) > 3 * Timeout;
        lock (_gate)
        {
            // Where there is no replica to ask, an engine that is lost is all there is to go by.
            if (slept || _doubt == Doubt.None || (all.Count == 0 && _doubt != Doubt.Lost)
                || ++_misses < Misses || _doubt == Doubt.Late || Life == HostLife.Silent)
            {
                return;
            }

            Life = HostLife.Silent;
        }

        changed();
    }

    /// <summary>Of so many, from the one whose turn it is on; one that answers is asked first the next time.</summary>
    /// <returns>Passed if any of them answers; unknown if one that might could not be asked.</returns>
    private async Task<ProbeResult> AskAsync(IReadOnlyList<(string Address, int Port)> all, int count, CancellationToken cancellationToken)
    {
        var turns = Enumerable.Range(_turn, Math.Min(count, all.Count)).Select(i => i % all.Count).ToList();
        var heard = await Task.WhenAll(turns.Select(i => ask(all[i].Address, all[i].Port, cancellationToken)));
        var first = Array.IndexOf(heard, ProbeResult.Passed);
        _turn = first >= 0 ? turns[first] : all.Count == 0 ? 0 : (_turn + turns.Count) % all.Count;
        return first >= 0 ? ProbeResult.Passed : heard.Contains(ProbeResult.Unknown) ? ProbeResult.Unknown : ProbeResult.Failed;
    }

    private void Heard(HostLife life)
    {
        lock (_gate)
        {
            if (life == HostLife.ReplicasAnswer && _doubt == Doubt.None)
            {
                // The engine has answered meanwhile.
                return;
            }

            (_heardAt, _misses) = (clock.Now, 0);
            if (Life == life || (life == HostLife.ReplicasAnswer && _doubt == Doubt.Late))
            {
                return;
            }

            Life = life;
        }

        changed();
    }

    private void Raise(Doubt doubt)
    {
        lock (_gate)
        {
            var before = _doubt;
            _doubt = doubt > before ? doubt : before;
            if (before != Doubt.None)
            {
                return;
            }

            (_misses, _answered) = (0, false);
        }

        _wake.Set();
    }
}
