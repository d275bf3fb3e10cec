using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;

namespace Orchestrator.Proxy.Policies;

/// <summary>
/// Lets as many requests through as an app's <see cref="RateLimit"/> says, by the generic cell rate algorithm (ITU-T I.371): all that is kept
/// of a client is when its allowance will be whole again, and what has passed that is forgotten. Thread-safe.
/// </summary>
internal sealed class RateLimiter
{
    /// <summary>Of the clients or values that are kept apart. Beyond it, new ones share what one may have: a flood of addresses takes no memory.</summary>
    public const int MostKeys = 100_000;

    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<UInt128, long> _wholeAt = [];
    private readonly RateLimit _limit;
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly long _ticksEach;
    private readonly long _tolerance;
    private long _sweptAt;

    public RateLimiter(RateLimit limit, TimeProvider time)
    {
        (_limit, _time, _origin) = (limit, time, time.GetTimestamp());
        _ticksEach = TimeSpan.TicksPerSecond / limit.RequestsPerSecond;
        _tolerance = _ticksEach * ((limit.Burst ?? limit.RequestsPerSecond) - 1);
    }

    /// <summary>Clients or values that have less than their whole allowance.</summary>
    public int Keys => _wholeAt.Count;

    /// <param name="retryAfter">When the next one will be let through, if this is not.</param>
    public bool TryTake(HttpContext context, out TimeSpan retryAfter) => TryTake(KeyOf(context), out retryAfter);

    /// <summary>For a connection of a client, which has no headers.</summary>
    public bool TryTake(IPAddress? client) => TryTake(_limit.By == RateLimitKeys.Client ? Wide(ClientKey.Of(client)) : 0, out _);

    private bool TryTake(UInt128 key, out TimeSpan retryAfter)
    {
        var ticks = _time.GetElapsedTime(_origin).Ticks;
        Sweep(ticks);
        if (_wholeAt.Count >= MostKeys && !_wholeAt.ContainsKey(key))
        {
            key = UInt128.MaxValue;
        }

        while (true)
        {
            var known = _wholeAt.TryGetValue(key, out var before);
            var wholeAt = Math.Max(before, ticks);
            if (wholeAt - ticks > _tolerance)
            {
                retryAfter = TimeSpan.FromTicks(wholeAt - ticks - _tolerance);
                return false;
            }

            if (known ? _wholeAt.TryUpdate(key, wholeAt + _ticksEach, before) : _wholeAt.TryAdd(key, wholeAt + _ticksEach))
            {
                retryAfter = TimeSpan.Zero;
                return true;
            }
        }
    }

    private UInt128 KeyOf(HttpContext context) => _limit.By switch
    {
        RateLimitKeys.Client => Wide(ClientKey.Of(context.Connection.RemoteIpAddress)),
        RateLimitKeys.Header when _limit.Header is { } header && context.Request.Headers[header].ToString() is { Length: > 0 } value =>
            Wide(System.Text.Encoding.UTF8.GetBytes(value)),
        _ => 0,
    };

    // The process's own: who can choose values must not be able to choose ones that meet.
    private static UInt128 Wide(byte[] bytes)
    {
        var hash = new HashCode();
        hash.AddBytes(bytes);
        return new UInt128(StableHash.Of(bytes), (uint)hash.ToHashCode());
    }

    private void Sweep(long ticks)
    {
        var sweptAt = Volatile.Read(ref _sweptAt);
        if (ticks - sweptAt < SweepPeriod.Ticks || Interlocked.CompareExchange(ref _sweptAt, ticks, sweptAt) != sweptAt)
        {
            return;
        }

        foreach (var entry in _wholeAt)
        {
            if (entry.Value <= ticks)
            {
                // Only as it was seen: a request may have renewed it meanwhile.
                _wholeAt.TryRemove(entry);
            }
        }
    }
}
