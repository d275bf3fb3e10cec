using System.Net;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Proxy.Listening;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Proxy.Leasing;

/// <summary>
/// This proxy's Lease: that it lives, and which deleting Replicas it has let go of (docs/design/proxy.md). Made once the routes
/// are the API's, renewed until stopped, deleted at an orderly stop.
/// </summary>
internal sealed partial class ProxyLease(
    ResourceClient<V1Lease> leases,
    string name,
    RouteWatcher watcher,
    Routes routes,
    ListenerSet listeners,
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

    /// <summary>Leases of proxies that crashed are swept by the next one to start; generous, since clocks differ.</summary>
    private static readonly TimeSpan SweepAfter = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    /// <summary>An object's annotations may have 256 KiB in all; the rest follow when these are gone.</summary>
    private const int MostUids = 5000;

    /// <summary>As long as names may be, these fit into what the uids leave.</summary>
    private const int MostShadowed = 100;

    private readonly Signal _wake = new();
    private readonly ObjectKey _key = new(ApiGroup.SystemNamespace, name);
    private V1Lease? _lease;
    private bool _mayExist;
    private long _lastAnswer = time.GetTimestamp();
    private string _written = "";

    public string Name => name;

    /// <summary>How long ago the API server last answered a renewal, be it with an error.</summary>
    public TimeSpan SinceLastAnswer => time.GetElapsedTime(Volatile.Read(ref _lastAnswer));

    /// <summary>What the Lease says may have changed: look, and write if so.</summary>
    public void Refresh() => _wake.Set();

    /// <summary>Renews until cancelled, then leaves the Lease to <see cref="DeleteAsync"/>.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await watcher.WaitForSyncAsync(cancellationToken);
        await AttemptAsync("swept", SweepAsync, cancellationToken);
        var due = time.GetTimestamp();
        while (true)
        {
            var content = Content();
            if (Say(content) != _written || time.GetElapsedTime(due) >= TimeSpan.Zero)
            {
                _mayExist = true;
                await AttemptAsync("renewed", token => WriteAsync(content, token), cancellationToken);
                due = time.GetTimestamp() + (long)(RenewPeriod.TotalSeconds * time.TimestampFrequency);
            }

            await Task.Delay(Coalesce, time, cancellationToken);
            await _wake.WaitAsync(time.GetElapsedTime(time.GetTimestamp(), due), time, cancellationToken);
        }
    }

    /// <summary>Host agents need no longer wait for this proxy. Best effort: the Lease runs out by itself.</summary>
    public Task DeleteAsync(CancellationToken cancellationToken) =>
        _mayExist ? AttemptAsync("deleted", token => leases.DeleteAsync(_key, uid: null, token), cancellationToken) : Task.CompletedTask;

    private (string Drained, string? ListenerErrors) Content()
    {
        var drained = watcher.DeletingUids.Where(routes.IsDrained).Take(MostUids);
        var errors = listeners.Failures.OrderBy(failure => failure.Key).Select(failure => $"{failure.Key}: {failure.Value}")
            .Concat(routes.Table.Shadowed.Take(MostShadowed)
                .Select(shadowed => $"{shadowed.Claim}: is on the shared listener, where {shadowed.Holder.Key} is served")
                .Order(StringComparer.Ordinal));
        return (string.Join(',', drained), string.Join("; ", errors) is { Length: > 0 } any ? any : null);
    }

    private static string Say((string Drained, string? ListenerErrors) content) => $"{content.Drained}\n{content.ListenerErrors}";

    private async Task WriteAsync((string Drained, string? ListenerErrors) content, CancellationToken cancellationToken)
    {
        try
        {
            // Whatever a lost answer leaves us unsure of is read again: the write that made it unsure may have been done.
            _lease = _lease is not null ? await ReplaceAsync(_lease, content, cancellationToken)
                : await leases.GetAsync(_key, cancellationToken) is { } found ? await ReplaceAsync(found, content, cancellationToken)
                : await leases.CreateAsync(Fill(New(), content), cancellationToken);
            _written = Say(content);
        }
        catch
        {
            _lease = null;
            throw;
        }
    }

    private Task<V1Lease> ReplaceAsync(
        V1Lease lease, (string Drained, string? ListenerErrors) content, CancellationToken cancellationToken) =>
        leases.ReplaceAsync(Fill(lease, content), cancellationToken);

    private V1Lease New() => new()
    {
        ApiVersion = $"{V1Lease.KubeGroup}/{V1Lease.KubeApiVersion}",
        Kind = V1Lease.KubeKind,
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ApiGroup.SystemNamespace },
    };

    private V1Lease Fill(V1Lease lease, (string Drained, string? ListenerErrors) content)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var metadata = lease.Metadata;
        (metadata.Labels ??= new Dictionary<string, string>())[Labels.Component] = Labels.ProxyComponent;
        (metadata.Annotations ??= new Dictionary<string, string>())[Annotations.Drained] = content.Drained;
        if (content.ListenerErrors is { } errors)
        {
            metadata.Annotations[Annotations.ListenerErrors] = errors;
        }
        else
        {
            metadata.Annotations.Remove(Annotations.ListenerErrors);
        }

        lease.Spec ??= new V1LeaseSpec { AcquireTime = now };
        lease.Spec.HolderIdentity = name;
        lease.Spec.LeaseDurationSeconds = (int)Duration.TotalSeconds;
        lease.Spec.RenewTime = now;
        return lease;
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

    private async Task AttemptAsync(string what, Func<CancellationToken, Task> request, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(RequestTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await request(either.Token);
            Volatile.Write(ref _lastAnswer, time.GetTimestamp());
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
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Lease {Name} could not be {What}; it is tried again")]
        public static partial void Failed(ILogger logger, Exception failure, string name, string what);
    }
}
