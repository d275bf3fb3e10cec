using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hosts;
using Orchestrator.HostAgent.Images;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.HostAgent.Status;

/// <summary>Writes a DockerHost's status when it has changed, at most once a second.</summary>
internal sealed partial class HostStatusWriter(
    string hostName,
    SharedInformers informers,
    Func<EngineSession?> session,
    Func<EngineException?> problem,
    Func<EngineException?> renewalProblem,
    HostPulse pulse,
    PulledImages pulled,
    IEventRecorder events,
    ILogger logger,
    SteadyClock clock,
    TimeProvider time)
{
    /// <summary>Reason of the Event on the DockerHost.</summary>
    internal const string HeldBack = "HostFlapping";

    /// <summary>What changes several times within a moment is written once.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    /// <summary>Images come and go without an event that is ours to hear.</summary>
    private static readonly TimeSpan ImagesPeriod = TimeSpan.FromMinutes(5);

    private readonly WakeUp _dirty = new(time);
    private IReadOnlyList<HostImage>? _images;
    private EngineFacts? _facts;
    private long _imagesAt;

    /// <summary>Something that the status tells of may have changed.</summary>
    public void Mark() => _dirty.Set();

    /// <summary>An image was pulled or removed, or is used or not used any more.</summary>
    public void MarkImages()
    {
        Volatile.Write(ref _imagesAt, 0);
        Mark();
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await _dirty.WaitAsync(ImagesPeriod, cancellationToken);
            try
            {
                await WriteAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (NotFoundException)
            {
                // The host is gone; whoever runs this hears of it.
            }
            catch (Exception failure)
            {
                Log.Failed(logger, failure, hostName);
                Mark();
            }

            await Task.Delay(Least, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        if (session() is { } reachable)
        {
            _facts = reachable.Engine.Facts;
            await LookAtImagesAsync(reachable, cancellationToken);
        }

        if (informers.Hosts.Get(new ObjectKey(null, hostName)) is not { } host || (session() is null && problem() is null))
        {
            return;
        }

        var status = Build(host);
        if (MergePatch.Between(host.Status, status) is { } patch)
        {
            informers.Hosts.Seed(await informers.HostClient.MergePatchStatusAsync(
                new ObjectKey(null, hostName), new JsonObject { ["status"] = patch }, cancellationToken));
            if (FlapBackoff.Told(host.Status?.Flapping, status.Flapping) is { } told)
            {
                events.Record(host, EventTypes.Warning, HeldBack, told);
            }
        }
    }

    private async Task LookAtImagesAsync(EngineSession reachable, CancellationToken cancellationToken)
    {
        var at = Volatile.Read(ref _imagesAt);
        if (at != 0 && time.GetElapsedTime(at) < ImagesPeriod)
        {
            return;
        }

        Volatile.Write(ref _imagesAt, time.GetTimestamp());
        try
        {
            _images = await reachable.Engine.ImagesAsync(cancellationToken);
        }
        catch (EngineException failure)
        {
            // The rest of the status is worth writing all the same.
            Log.ImagesUnknown(logger, hostName, failure.Message);
        }
    }

    private DockerHostStatus Build(DockerHost host)
    {
        var before = host.Status;
        return new DockerHostStatus
        {
            ObservedGeneration = host.Metadata.Generation,
            EngineVersion = _facts?.EngineVersion ?? before?.EngineVersion,
            ApiVersion = _facts?.ApiVersion ?? before?.ApiVersion,
            OperatingSystem = _facts?.OperatingSystem ?? before?.OperatingSystem,
            Architecture = _facts?.Architecture ?? before?.Architecture,
            Capacity = CapacityOf(host),

            // The controller's to sum up.
            Allocated = before?.Allocated,
            Replicas = before?.Replicas ?? 0,
            Images = _images is { } images ? [.. images] : before?.Images,
            Flapping = FlapBackoff.Next(before, problem() is null, time.GetUtcNow()),
            PulledImages = pulled.Snapshot() is { Count: > 0 } ours ? [.. ours] : null,
            Conditions =
            [
                .. (before?.Conditions ?? []).Where(condition => condition.Type is not (ConditionTypes.Ready or ConditionTypes.Alive)),
                ReadyOf(host),
                .. AliveOf(host) is { } alive ? new[] { alive } : [],
            ],
        };
    }

    private Dictionary<string, ResourceQuantity>? CapacityOf(DockerHost host)
    {
        var measured = _facts is { } facts ? Quantities(facts.Processors, facts.MemoryBytes)
            : host.Status?.Capacity is { } known ? new Dictionary<string, ResourceQuantity>(known) : null;
        foreach (var (resource, quantity) in host.Spec.Capacity ?? new Dictionary<string, ResourceQuantity>())
        {
            (measured ??= [])[resource] = quantity;
        }

        return measured;
    }

    /// <summary>
    /// False when the engine is known not to serve us: it refuses, or something is wrong with TLS or versions. Unknown when it
    /// is silent: it may be cut off or hang, and its containers may well serve.
    /// </summary>
    private V1Condition ReadyOf(DockerHost host)
    {
        var (holds, reason, message) = problem() switch
        {
            null => ((bool?)true, "EngineReady", renewalProblem() is { } unfit
                ? $"its Secret has changed and cannot be used, so that the connection from before is kept: {unfit.Message}"
                : null),
            { Failure: EngineFailure.Refused } refused => (false, "EngineRefused", refused.Message),
            { Failure: EngineFailure.Tls } mistrusted => (false, "TlsFailed", mistrusted.Message),
            { Failure: EngineFailure.Ssh } refused => (false, "SshFailed", refused.Message),
            { Failure: EngineFailure.Incompatible } odd => (false, "EngineIncompatible", odd.Message),
            { Failure: EngineFailure.Unreachable } cut => (null, "EngineUnreachable", cut.Message),
            { Failure: EngineFailure.Unanswered or EngineFailure.Interrupted } silent => (null, "EngineSilent", silent.Message),
            { } failed => (false, "EngineFailed", failed.Message),
        };
        return Conditions.Next(host.Status?.Conditions, ConditionTypes.Ready, holds, reason, message, host.Metadata.Generation, time.GetUtcNow());
    }

    /// <summary>False since when the host was last heard of, which is before it was known to be silent. Null while nothing is known.</summary>
    private V1Condition? AliveOf(DockerHost host)
    {
        var before = host.Status?.Conditions;
        var now = time.GetUtcNow();
        return pulse.Life switch
        {
            HostLife.EngineAnswers => Next(true, "EngineAnswers", null, now),
            HostLife.ReplicasAnswer => Next(true, "ReplicasAnswer", "its engine does not answer, replicas on it do", now),
            HostLife.Silent => Next(false, "Silent", "neither its engine nor any replica on it answers", now - (clock.Now - pulse.HeardAt)),
            _ => Conditions.Find(before, ConditionTypes.Alive),
        };

        V1Condition Next(bool holds, string reason, string? message, DateTimeOffset since) =>
            Conditions.Next(before, ConditionTypes.Alive, holds, reason, message, host.Metadata.Generation, since);
    }

    private static Dictionary<string, ResourceQuantity> Quantities(decimal cpu, decimal memory) => new()
    {
        [ResourceNeeds.Cpu] = new ResourceQuantity(
            cpu == decimal.Truncate(cpu) ? cpu.ToString("0", CultureInfo.InvariantCulture) : $"{(cpu * 1000).ToString("0", CultureInfo.InvariantCulture)}m"),
        [ResourceNeeds.Memory] = new ResourceQuantity(memory.ToString("0", CultureInfo.InvariantCulture)),
    };

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The status of host {Host} could not be written; it is tried again")]
        public static partial void Failed(ILogger logger, Exception failure, string host);

        [LoggerMessage(Level = LogLevel.Information, Message = "Host {Host}: its images are not known: {Reason}")]
        public static partial void ImagesUnknown(ILogger logger, string host, string reason);
    }
}
