using System.Collections.Concurrent;
using System.Globalization;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>
/// The logins at one machine with one key, of all sessions of this process. An ssh server drops some of those that begin while ten have not
/// got in yet (<c>MaxStartups</c>): so few begin at a time. Those that it refuses are counted there, and who is refused too often is banned by
/// its address: so the next try waits, and longer each time. Another endpoint or another key is another login.
/// </summary>
internal sealed class SshLogins
{
    /// <summary>Leaves most of the ten to others.</summary>
    public const int AtATime = 3;

    /// <summary>
    /// With waits of 30 s, 2 min and 5 min no ten minutes have more than four refused logins; fail2ban's default bans at the fifth.
    /// </summary>
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);
    private const int Factor = 4;

    private static readonly ConcurrentDictionary<(EngineEndpoint, string?), SshLogins> All = new();

    private readonly Turns _turns = new(AtATime);
    private readonly Lock _gate = new();
    private Refusal? _refusal;

    private SshLogins()
    {
    }

    public static SshLogins Of(EngineEndpoint endpoint, SshIdentity? identity) =>
        All.GetOrAdd((endpoint, identity?.Fingerprint), static _ => new SshLogins());

    /// <summary>Waits for its turn.</summary>
    /// <exception cref="EngineException">It was refused not long ago: it is not tried.</exception>
    public async Task<Attempt> BeginAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        RequireNotRefused(time);
        var turn = await _turns.EnterAsync(cancellationToken);
        try
        {
            lock (_gate)
            {
                RequireNotRefused(time);

                // Of those that have waited one tries, and what becomes of it goes for the others too.
                _refusal = _refusal is null ? null : _refusal with { Until = time.GetUtcNow() + WaitAfter(_refusal.Count) };
                return new Attempt(this, turn, _refusal, time);
            }
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    /// <summary>In a row, until now.</summary>
    public int Refusals => Volatile.Read(ref _refusal)?.Count ?? 0;

    /// <summary>Whether a login would not be tried now.</summary>
    public bool IsHeld(TimeProvider time) => Volatile.Read(ref _refusal) is { } refusal && time.GetUtcNow() < refusal.Until;

    private static TimeSpan WaitAfter(int refusals) =>
        TimeSpan.FromSeconds(Math.Min(LongestWait.TotalSeconds, FirstWait.TotalSeconds * Math.Pow(Factor, Math.Min(refusals, 10) - 1)));

    private void RequireNotRefused(TimeProvider time)
    {
        if (Volatile.Read(ref _refusal) is { } refusal && time.GetUtcNow() < refusal.Until)
        {
            var times = refusal.Count == 1 ? "once" : $"{refusal.Count.ToString(CultureInfo.InvariantCulture)} times in a row";
            throw new EngineException(EngineFailure.Ssh, string.Create(
                CultureInfo.InvariantCulture,
                $"{refusal.Message}; refused {times}, and so as not to be banned there it is tried again at {refusal.Until.UtcDateTime:HH:mm:ss} UTC, or at once with another endpoint or Secret"));
        }
    }

    private sealed record Refusal(string Message, int Count, DateTimeOffset Until);

    /// <summary>One login under way. Disposed of, it makes room for the next; how it ended may be told later.</summary>
    internal sealed class Attempt : IDisposable
    {
        private readonly SshLogins _owner;
        private readonly Turns.Turn _turn;
        private readonly object? _before;
        private readonly TimeProvider _time;

        public Attempt(SshLogins owner, Turns.Turn turn, object? before, TimeProvider time) => (_owner, _turn, _before, _time) = (owner, turn, before, time);

        public void Succeeded()
        {
            lock (_owner._gate)
            {
                _owner._refusal = null;
            }
        }

        public void Refused(EngineException reason)
        {
            lock (_owner._gate)
            {
                // Several that began together are refused together, which counts once.
                if (ReferenceEquals(_owner._refusal, _before))
                {
                    var count = (_owner._refusal?.Count ?? 0) + 1;
                    _owner._refusal = new Refusal(reason.Message, count, _time.GetUtcNow() + WaitAfter(count));
                }
            }
        }

        /// <summary>It came to no answer: what was refused before may be tried again at once.</summary>
        public void Failed()
        {
            lock (_owner._gate)
            {
                if (ReferenceEquals(_owner._refusal, _before))
                {
                    _owner._refusal = _owner._refusal is null ? null : _owner._refusal with { Until = _time.GetUtcNow() };
                }
            }
        }

        public void Dispose() => _turn.Dispose();
    }
}
