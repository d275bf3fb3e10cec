using System.Collections.Concurrent;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.Acme;

/// <summary>When an app's certificate may be ordered again after an order failed. Kept by this process alone: a new one tries at once.</summary>
/// <param name="random">Drawn from by one thread at a time.</param>
internal sealed class OrderBackoff(TimeProvider time, Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromMinutes(1);

    /// <summary>Authorities in use allow some five failed validations an hour; more seldom than twice a day nobody wants it.</summary>
    private static readonly TimeSpan Ceiling = TimeSpan.FromHours(12);

    /// <summary>The longest that authorities in use ask for; what is beyond it is a mistake of theirs.</summary>
    private static readonly TimeSpan LongestAsked = TimeSpan.FromDays(7);

    private readonly ConcurrentDictionary<ObjectKey, Failure> _failures = new();
    private readonly Lock _drawing = new();

    /// <param name="what">What is ordered: another order may be tried at once.</param>
    /// <returns>How long to wait still; zero: not at all.</returns>
    public TimeSpan LeftOf(ObjectKey app, string what) =>
        _failures.TryGetValue(app, out var failure) && failure.What == what && failure.Until > time.GetUtcNow() ? failure.Until - time.GetUtcNow() : TimeSpan.Zero;

    /// <param name="atLeast">As the authority asks for; it has the last word, up to a week.</param>
    /// <returns>When it is tried again.</returns>
    public DateTimeOffset Failed(ObjectKey app, string what, TimeSpan? atLeast)
    {
        var before = _failures.TryGetValue(app, out var failure) && failure.What == what ? failure.Count : 0;

        // After() gives between half and all of its step: a minute is the least.
        TimeSpan wait;
        lock (_drawing)
        {
            wait = Backoff.After(before + 1, First, Ceiling, random);
        }

        var asked = atLeast > LongestAsked ? LongestAsked : atLeast;
        var until = time.GetUtcNow() + (asked > wait ? asked.Value : wait);
        _failures[app] = new(what, before + 1, until);
        return until;
    }

    public void Forget(ObjectKey app) => _failures.TryRemove(app, out _);

    private sealed record Failure(string What, int Count, DateTimeOffset Until);
}
