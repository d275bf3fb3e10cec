namespace Orchestrator.Proxy.Routing;

/// <summary>
/// What an endpoint's answers were like of late, told from all of them by weights that fade. Many threads write without a lock: one that
/// overtakes another loses a sample, of which there are many.
/// </summary>
internal sealed class Conduct
{
    /// <summary>Weight of the latest answer for the share of errors.</summary>
    public const double ErrorWeight = 0.1;

    private const double LatencyWeight = 0.05;

    private int _errorsInARow;
    private int _samples;
    private double _errorShare;
    private double _latency;

    public int ErrorsInARow => Volatile.Read(ref _errorsInARow);

    /// <summary>0 to 1.</summary>
    public double ErrorShare => Volatile.Read(ref _errorShare);

    /// <summary>Of good answers, since it was last forgotten.</summary>
    public int Samples => Volatile.Read(ref _samples);

    /// <summary>Until an answer begins.</summary>
    public TimeSpan Latency => TimeSpan.FromTicks((long)Volatile.Read(ref _latency));

    public void Good(TimeSpan latency)
    {
        if (ErrorsInARow != 0)
        {
            Volatile.Write(ref _errorsInARow, 0);
        }

        var share = ErrorShare;
        if (share > 0)
        {
            // Below a hundredth there is nothing left to tell.
            Volatile.Write(ref _errorShare, share < 0.01 ? 0 : share * (1 - ErrorWeight));
        }

        Waited(latency);
    }

    public void Bad()
    {
        Interlocked.Increment(ref _errorsInARow);
        Volatile.Write(ref _errorShare, (ErrorShare * (1 - ErrorWeight)) + ErrorWeight);
    }

    /// <summary>For an answer, or until the client gave up.</summary>
    public void Waited(TimeSpan latency)
    {
        var samples = Samples;
        var before = Volatile.Read(ref _latency);
        var weight = Math.Max(LatencyWeight, 1.0 / (samples + 1));
        Volatile.Write(ref _latency, before + (weight * (latency.Ticks - before)));
        if (samples < int.MaxValue)
        {
            Volatile.Write(ref _samples, samples + 1);
        }
    }

    /// <summary>A new beginning.</summary>
    public void Forget()
    {
        Volatile.Write(ref _errorsInARow, 0);
        Volatile.Write(ref _errorShare, 0);
        Volatile.Write(ref _samples, 0);
    }
}
