using System.Net;
using System.Text;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Proxy.Acme;
using Orchestrator.Proxy.Autoscaling;
using Orchestrator.Proxy.Canaries;
using Orchestrator.Proxy.Listening;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Proxy.Leasing;

/// <summary>
/// This proxy's Lease: that it lives, which deleting Replicas it has let go of, and what it sees of canaries and of the apps'
/// traffic (docs/design/proxy.md). Made once the routes are the API's, renewed until stopped, deleted at an orderly stop.
/// </summary>
internal sealed partial class ProxyLease(
    ResourceClient<V1Lease> leases,
    string name,
    RouteWatcher watcher,
    Routes routes,
    ListenerSet listeners,
    ChallengeAnswers challenges,
    ILogger<ProxyLease> logger,
    TimeProvider time)
{
    /// <summary>After a crash, for so long host agents wait for us in vain.</summary>
    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);

    /// <summary>Two renewals may fail before the Lease runs out.</summary>
    public static readonly TimeSpan RenewPeriod = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Between two writes at the least, so that a burst of drained replicas is one write; nothing beside the agents' own work.
    /// </summary>
    public static readonly TimeSpan Coalesce = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// From any write to one that is only for the counts of canaries: often enough beside steps that last minutes.
    /// </summary>
    public static readonly TimeSpan CountsPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Between two looks at the apps' traffic; what is seen is told with the renewals.</summary>
    private static readonly TimeSpan SamplePeriod = TimeSpan.FromSeconds(1);

    /// <summary>Leases of proxies that crashed are swept by the next one to start; generous, since clocks differ.</summary>
    private static readonly TimeSpan SweepAfter = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Of a write that is only for counts. Short, since what was drained meanwhile is told after it.</summary>
    private static readonly TimeSpan CountsTimeout = TimeSpan.FromSeconds(1);

    /// <summary>An object's annotations may have 256 KiB in all; the rest follow when these are gone.</summary>
    private const int MostUids = 5000;

    /// <summary>As long as names may be, these fit into what the uids leave.</summary>
    private const int MostShadowed = 100;

    /// <summary>Room for some 100 canaries; less when so many uids are drained that they need it.</summary>
    private const int MostCanaryCharacters = 64 * 1024;

    /// <summary>Room for some 600 apps, 200 with latencies; less as above.</summary>
    private const int MostTrafficCharacters = 64 * 1024;

    /// <summary>As many as are told at once; the others follow with the next renewal.</summary>
    private const int MostWaiting = 100;

    /// <summary>Of five certificates with all the hosts that they may have; more than that the controller orders at a time only by chance.</summary>
    private const int MostTokens = 500;

    /// <summary>Under the limit by what other annotations may take.</summary>
    private const int MostAnnotationBytes = 250 * 1024;

    private readonly Signal _wake = new();
    private readonly ObjectKey _key = new(ApiGroup.SystemNamespace, name);
    private V1Lease? _lease;
    private bool _mayExist;
    private long _lastAnswer = time.GetTimestamp();
    private Content? _written;
    private string _writtenCanaries = "";

    public string Name => name;

    /// <summary>How long ago the API server last answered a renewal, be it with an error.</summary>
    public TimeSpan SinceLastAnswer => time.GetElapsedTime(Volatile.Read(ref _lastAnswer));

    /// <summary>What the Lease says may have changed: look, and write if so.</summary>
    public void Refresh() => _wake.Set();

    /// <summary>Renews until cancelled, then leaves the Lease to <see cref="DeleteAsync"/>.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await watcher.WaitForSyncAsync(cancellationToken);
        await AttemptAsync("swept", SweepAsync, RequestTimeout, cancellationToken);
        var (renewal, counts, sample) = (time.GetTimestamp(), time.GetTimestamp(), time.GetTimestamp());
        while (true)
        {
            if (IsPast(sample))
            {
                sample = After(SamplePeriod);
                foreach (var app in routes.Table.Apps)
                {
                    app.Traffic.Sample();
                }
            }

            var content = Read();
            var renews = content != _written || IsPast(renewal);
            if (renews || IsPast(counts))
            {
                var canaries = CanaryReport.Write(routes.Table.Apps, content.RoomForCanaries);
                var succeeded = true;
                if (renews || canaries != _writtenCanaries)
                {
                    _mayExist = true;
                    succeeded = await AttemptAsync(
                        "renewed", token => WriteAsync(content, canaries, TrafficReporter.Write(routes.Table.Apps, content.RoomForTraffic(canaries)), token), renews ? RequestTimeout : CountsTimeout, cancellationToken);

                    // A write for counts that failed does not put off the renewal, which may take longer.
                    renewal = renews || succeeded ? After(RenewPeriod) : renewal;
                }

                counts = succeeded ? After(CountsPeriod) : renewal;
            }

            await Task.Delay(Coalesce, time, cancellationToken);
            var next = HasCanaries ? Math.Min(renewal, counts) : renewal;
            next = routes.Table.Apps.Count > 0 ? Math.Min(next, sample) : next;
            await _wake.WaitAsync(time.GetElapsedTime(time.GetTimestamp(), next), time, cancellationToken);
        }
    }

    /// <summary>Host agents need no longer wait for this proxy. Best effort: the Lease runs out by itself.</summary>
    public Task DeleteAsync(CancellationToken cancellationToken) =>
        _mayExist
            ? AttemptAsync("deleted", token => leases.DeleteAsync(_key, uid: null, token), RequestTimeout, cancellationToken)
            : Task.CompletedTask;

    /// <summary>Or had some that the Lease still tells of.</summary>
    private bool HasCanaries => _writtenCanaries.Length > 0 || routes.Table.Apps.Any(app => app.Canary is not null);

    private bool IsPast(long timestamp) => time.GetElapsedTime(timestamp) >= TimeSpan.Zero;

    private long After(TimeSpan period) => time.GetTimestamp() + (long)(period.TotalSeconds * time.TimestampFrequency);

    private Content Read()
    {
        var drained = watcher.DeletingUids.Where(routes.IsDrained).Take(MostUids);
        var errors = listeners.Failures.OrderBy(failure => failure.Key).Select(failure => $"{failure.Key}: {failure.Value}")
            .Concat(routes.Table.Shadowed.Take(MostShadowed)
                .Select(shadowed => $"{shadowed.Claim}: is on the shared listener, where {shadowed.Holder.Key} is served")
                .Order(StringComparer.Ordinal))
            .Concat(listeners.TlsAddress is null && routes.Table.Apps.Any(app => app.Tls is not null && app.Claims.Any(claim => claim.Port is null))
                ? [$"{Annotations.TlsListener}: this proxy has none; give it one with --tls-listen"]
                : []);
        var waiting = routes.Table.Apps.Where(app => app.Held.Waiting > 0).Select(app => app.Key.ToString()).Take(MostWaiting);
        var tokens = challenges.Tokens.Order(StringComparer.Ordinal).Take(MostTokens);
        return new(string.Join(',', drained), string.Join("; ", errors), string.Join(',', waiting), string.Join(',', tokens));
    }

    private async Task WriteAsync(Content content, string canaries, string traffic, CancellationToken cancellationToken)
    {
        try
        {
            // Whatever a lost answer leaves us unsure of is read again: the write that made it unsure may have been done.
            _lease = (_lease ?? await leases.GetAsync(_key, cancellationToken)) is { } known
                ? await leases.ReplaceAsync(Fill(known, content, canaries, traffic), cancellationToken)
                : await leases.CreateAsync(Fill(New(), content, canaries, traffic), cancellationToken);
            (_written, _writtenCanaries) = (content, canaries);
        }
        catch
        {
            _lease = null;
            throw;
        }
    }

    private V1Lease New() => new()
    {
        ApiVersion = $"{V1Lease.KubeGroup}/{V1Lease.KubeApiVersion}",
        Kind = V1Lease.KubeKind,
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ApiGroup.SystemNamespace },
    };

    private V1Lease Fill(V1Lease lease, Content content, string canaries, string traffic)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var metadata = lease.Metadata;
        (metadata.Labels ??= new Dictionary<string, string>())[Labels.Component] = Labels.ProxyComponent;
        (metadata.Annotations ??= new Dictionary<string, string>())[Annotations.Drained] = content.Drained;
        SetIfAny(metadata.Annotations, Annotations.ListenerErrors, content.ListenerErrors);
        SetIfAny(metadata.Annotations, Annotations.Challenges, content.Challenges);
        SetIfAny(metadata.Annotations, Annotations.Canaries, canaries);
        SetIfAny(metadata.Annotations, Annotations.Traffic, traffic);
        lease.Spec ??= new V1LeaseSpec { AcquireTime = now };
        lease.Spec.HolderIdentity = name;
        lease.Spec.LeaseDurationSeconds = (int)Duration.TotalSeconds;
        lease.Spec.RenewTime = now;
        return lease;
    }

    private static void SetIfAny(IDictionary<string, string> annotations, string name, string text)
    {
        if (text.Length > 0)
        {
            annotations[name] = text;
        }
        else
        {
            annotations.Remove(name);
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        var known = await leases.ListAsync(ApiGroup.SystemNamespace, $"{Labels.Component}={Labels.ProxyComponent}", cancellationToken);
        foreach (var lease in known.Items)
        {
            if (lease.Spec?.RenewTime is { } renewed && time.GetUtcNow() - renewed > SweepAfter)
            {
                await leases.DeleteAsync(ObjectKey.Of(lease), lease.Metadata.Uid, cancellationToken);
            }
        }
    }

    private async Task<bool> AttemptAsync(
        string what, Func<CancellationToken, Task> request, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await request(either.Token);
            Volatile.Write(ref _lastAnswer, time.GetTimestamp());
            return true;
        }
        catch (ApiException refused) when (refused.Code < HttpStatusCode.InternalServerError)
        {
            Volatile.Write(ref _lastAnswer, time.GetTimestamp());
            Log.Failed(logger, refused, name, what);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.Failed(logger, failure, name, what);
        }

        return false;
    }

    /// <summary>What is told at once; an empty text is an annotation that is absent, but for the drained.</summary>
    /// <param name="Waiting">Apps that requests wait for; told with their traffic.</param>
    private sealed record Content(string Drained, string ListenerErrors, string Waiting, string Challenges)
    {
        public int RoomForCanaries => Math.Min(
            MostCanaryCharacters, MostAnnotationBytes - Drained.Length - Challenges.Length - Encoding.UTF8.GetByteCount(ListenerErrors));

        public int RoomForTraffic(string canaries) => Math.Min(
            MostTrafficCharacters, MostAnnotationBytes - Drained.Length - Challenges.Length - Encoding.UTF8.GetByteCount(ListenerErrors) - canaries.Length);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Lease {Name} could not be {What}; it is tried again")]
        public static partial void Failed(ILogger logger, Exception failure, string name, string what);
    }
}
