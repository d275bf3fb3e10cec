namespace Orchestrator.Runtime.Reconciling;

/// <summary>
/// Exponential back-off with jitter: each wait doubles up to a ceiling, and half of it is random, so that many who failed
/// together do not come back together. Not thread-safe.
/// </summary>
public sealed class Backoff(TimeSpan first, TimeSpan ceiling, Random random)
{
    private int _failures;

    /// <summary>The wait after one more failure.</summary>
    public TimeSpan Next() => After(_failures++, first, ceiling, random);

    public void Reset() => _failures = 0;

    /// <summary>The wait after <paramref name="failures"/> earlier failures.</summary>
    public static TimeSpan After(int failures, TimeSpan first, TimeSpan ceiling, Random random)
    {
        var full = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 40)), ceiling.TotalMilliseconds);
        return TimeSpan.FromMilliseconds((full / 2) + (full / 2 * random.NextDouble()));
    }
}
