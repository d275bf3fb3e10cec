using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.Runtime.LeaderElection;

/// <summary>
/// One leader among the processes that contend for a Lease, after client-go's leader election: whoever holds it renews it, and
/// another may take it once it has stood unchanged for its duration by that other's own clock (clocks need not agree). Two
/// leaders for a moment cannot be ruled out, so what a leader does must be safe twice: writes carry resourceVersions.
/// </summary>
/// <param name="name">The Lease, in <see cref="ApiGroup.SystemNamespace"/>.</param>
/// <param name="identity">
/// Who contends. Unique among live processes; one that is the same after a restart takes its own Lease up again without waiting
/// for it to run out, so where only one process can run, as on an embedded server's data folder, make it constant.
/// </param>
public sealed partial class Leadership(
    ResourceClient<V1Lease> leases, string name, string identity, ILogger logger, TimeProvider time)
{
    /// <summary>Others wait this long for a holder that says nothing. Kubernetes' default.</summary>
    public static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);

    /// <summary>A holder that could not renew for this long stops, before another may start. Kubernetes' default.</summary>
    public static readonly TimeSpan RenewDeadline = TimeSpan.FromSeconds(10);

    /// <summary>Between tries to take or to renew, give or take jitter. Kubernetes' default.</summary>
    public static readonly TimeSpan RetryPeriod = TimeSpan.FromSeconds(2);

    /// <summary>A renewal that hangs leaves time for another before the deadline.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(4);

    /// <summary>For giving the Lease back at an orderly stop, with the API server perhaps stopping too.</summary>
    private static readonly TimeSpan ReleaseTime = TimeSpan.FromSeconds(2);

    private readonly ObjectKey _key = new(ApiGroup.SystemNamespace, name);
    private readonly Random _jitter = new(identity.GetHashCode(StringComparison.Ordinal));
    private string? _seenVersion;
    private long _seenAt;

    /// <summary>
    /// Contends until cancelled, and runs <paramref name="lead"/> for as long as it leads: cancels it when leadership is lost and
    /// awaits its end, then contends again. At cancellation, and when the delegate returns, gives the Lease back.
    /// </summary>
    /// <param name="lead">Called once each time leadership is won. If it fails, so does this, after the Lease is given back.</param>
    public async Task RunAsync(Func<CancellationToken, Task> lead, CancellationToken cancellationToken)
    {
        while (true)
        {
            V1Lease held;
            try
            {
                held = await AcquireAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            if (await LeadAsync(held, lead, cancellationToken))
            {
                return;
            }
        }
    }

    /// <returns>Whether it ended in order: cancelled, or the delegate returned. False when leadership was lost.</returns>
    private async Task<bool> LeadAsync(V1Lease taken, Func<CancellationToken, Task> lead, CancellationToken cancellationToken)
    {
        Log.Won(logger, name, identity);
        LeaderElectionMetrics.Status.WithLabels(name).Set(1);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var leading = Task.Run(() => lead(stop.Token), CancellationToken.None);
        var held = await RenewAsync(taken, leading, stop.Token);
        await stop.CancelAsync();
        try
        {
            await leading;
        }
        catch (OperationCanceledException) when (!leading.IsFaulted)
        {
            // Told to stop, it did.
        }
        finally
        {
            LeaderElectionMetrics.Status.WithLabels(name).Set(0);
            Log.Ended(logger, name, identity);
            if (held is not null)
            {
                await ReleaseAsync(held);
            }
        }

        return held is not null;
    }

    private async Task<V1Lease> AcquireAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (await TryTakeAsync(cancellationToken) is { } taken)
                {
                    return taken;
                }
            }
            catch (ConflictException)
            {
                // Another contender was faster; look again.
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                Log.CouldNotTake(logger, failure, name);
            }

            await Task.Delay(Jittered(RetryPeriod), time, cancellationToken);
        }
    }

    /// <returns>Null while another holds it.</returns>
    private async Task<V1Lease?> TryTakeAsync(CancellationToken cancellationToken)
    {
        var found = await leases.GetAsync(_key, cancellationToken);
        if (found is null)
        {
            try
            {
                return await leases.CreateAsync(Taken(new V1Lease { ApiVersion = $"{V1Lease.KubeGroup}/{V1Lease.KubeApiVersion}", Kind = V1Lease.KubeKind }), cancellationToken);
            }
            catch (AlreadyExistsException)
            {
                return null;
            }
        }

        if (!string.IsNullOrEmpty(found.Spec?.HolderIdentity) && !IsMine(found))
        {
            if (found.Metadata.ResourceVersion != _seenVersion)
            {
                (_seenVersion, _seenAt) = (found.Metadata.ResourceVersion, time.GetTimestamp());
            }

            if (time.GetElapsedTime(_seenAt) < TimeSpan.FromSeconds(found.Spec.LeaseDurationSeconds ?? (int)LeaseDuration.TotalSeconds))
            {
                return null;
            }
        }

        return await leases.ReplaceAsync(Taken(found), cancellationToken);
    }

    /// <summary>Renews until the lease is lost, the delegate ends or cancellation.</summary>
    /// <returns>The lease as last known; null when it was lost.</returns>
    private async Task<V1Lease?> RenewAsync(V1Lease held, Task leading, CancellationToken stop)
    {
        var renewed = time.GetTimestamp();
        while (true)
        {
            // A request that hung may have left less than a period until the deadline, or nothing.
            var pause = TimeSpan.FromTicks(Math.Clamp(Left().Ticks, 0, RetryPeriod.Ticks));
            await Task.WhenAny(Task.Delay(pause, time, stop), leading);
            if (leading.IsCompleted || stop.IsCancellationRequested)
            {
                return held;
            }

            // Also after the process was paused: what it did not renew in time it gives up, and contends for like any other.
            var left = Left();
            if (left <= TimeSpan.Zero)
            {
                return null;
            }

            // From when it is sent: others count from when it arrives.
            var sent = time.GetTimestamp();
            try
            {
                using var deadline = new CancellationTokenSource(left < RequestTimeout ? left : RequestTimeout, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, deadline.Token);
                held = await RenewOnceAsync(held, either.Token);
                renewed = sent;
            }
            catch (LeaseTakenException)
            {
                return null;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return held;
            }
            catch (Exception failure)
            {
                Log.CouldNotRenew(logger, failure, name);
            }
        }

        TimeSpan Left() => RenewDeadline - time.GetElapsedTime(renewed);
    }

    private async Task<V1Lease> RenewOnceAsync(V1Lease held, CancellationToken cancellationToken)
    {
        try
        {
            held.Spec.RenewTime = Now();
            return await leases.ReplaceAsync(held, cancellationToken);
        }
        catch (ApiException changed) when (changed is ConflictException or NotFoundException)
        {
            // A person may have labelled it; only another holder, or none, ends the leadership.
            var current = await leases.GetAsync(_key, cancellationToken);
            return current is not null && IsMine(current)
                ? await leases.ReplaceAsync(Taken(current), cancellationToken)
                : throw new LeaseTakenException();
        }
    }

    private async Task ReleaseAsync(V1Lease held)
    {
        try
        {
            using var deadline = new CancellationTokenSource(ReleaseTime, time);
            held.Spec.HolderIdentity = "";
            held.Spec.RenewTime = Now();
            await leases.ReplaceAsync(held, deadline.Token);
            Log.Released(logger, name, identity);
        }
        catch (Exception failure)
        {
            // It runs out by itself; the next leader only starts later.
            Log.CouldNotRelease(logger, failure, name);
        }
    }

    private V1Lease Taken(V1Lease lease)
    {
        var now = Now();
        lease.Metadata ??= new V1ObjectMeta { Name = name, NamespaceProperty = ApiGroup.SystemNamespace };
        lease.Spec ??= new V1LeaseSpec();
        if (!IsMine(lease))
        {
            lease.Spec.LeaseTransitions = lease.Spec.HolderIdentity is null ? 0 : (lease.Spec.LeaseTransitions ?? 0) + 1;
            lease.Spec.AcquireTime = now;
        }

        lease.Spec.HolderIdentity = identity;
        lease.Spec.LeaseDurationSeconds = (int)LeaseDuration.TotalSeconds;
        lease.Spec.RenewTime = now;
        return lease;
    }

    private bool IsMine(V1Lease lease) => lease.Spec?.HolderIdentity == identity;

    private DateTime Now() => time.GetUtcNow().UtcDateTime;

    private TimeSpan Jittered(TimeSpan period) => Backoff.After(0, period * 1.3, period * 1.3, _jitter);

    /// <summary>Stays inside this class.</summary>
    private sealed class LeaseTakenException : Exception;

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "{Identity} leads {Lease}")]
        public static partial void Won(ILogger logger, string lease, string identity);

        [LoggerMessage(Level = LogLevel.Information, Message = "{Identity} no longer leads {Lease}")]
        public static partial void Ended(ILogger logger, string lease, string identity);

        [LoggerMessage(Level = LogLevel.Information, Message = "{Identity} has given {Lease} back")]
        public static partial void Released(ILogger logger, string lease, string identity);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Lease {Lease} could not be read or taken; trying again")]
        public static partial void CouldNotTake(ILogger logger, Exception failure, string lease);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Lease {Lease} could not be renewed; trying again until the deadline")]
        public static partial void CouldNotRenew(ILogger logger, Exception failure, string lease);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Lease {Lease} could not be given back; it runs out by itself")]
        public static partial void CouldNotRelease(ILogger logger, Exception failure, string lease);
    }
}
