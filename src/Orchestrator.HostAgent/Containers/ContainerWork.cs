using System.Globalization;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hooks;
using Orchestrator.HostAgent.Images;
using Orchestrator.HostAgent.Status;
using Orchestrator.Runtime.Events;

namespace Orchestrator.HostAgent.Containers;

/// <summary>
/// Carries out the planner's steps on one host's engine. Each can be cut short anywhere, by a crash too, and done again: names
/// are deterministic, and what is found is compared before it is used.
/// </summary>
internal sealed partial class ContainerWork(
    string instanceId,
    ImagePuller puller,
    ContentReader contents,
    LifecycleHooks hooks,
    Action onPulled,
    IEventRecorder events,
    ILogger logger) : IDisposable
{
    /// <summary>Starts at a time. An engine starts no faster with more, and other calls wait longer.</summary>
    private const int ParallelStarts = 4;

    /// <summary>Stops at a time; they mostly wait out grace periods.</summary>
    private const int ParallelStops = 16;

    private readonly SemaphoreSlim _starts = new(ParallelStarts);
    private readonly SemaphoreSlim _stops = new(ParallelStops);

    public void Dispose()
    {
        _starts.Dispose();
        _stops.Dispose();
    }

    public async Task<Outcome> CreateAsync(IEngine engine, Replica replica, DockerHost host, Operation operation)
    {
        var (content, missing) = replica.Spec.Template.HasReferences ? await contents.ReadAsync(replica, operation.Cancelled) : (null, null);
        if (missing is not null)
        {
            return Outcome.Failed(ReplicaReasons.CreateContainerConfigError, missing);
        }

        var policy = replica.Spec.Template.EffectivePullPolicy;
        if (policy == PullPolicies.Always && await PullAsync(engine, replica, operation) is { } failed)
        {
            return failed;
        }

        // Without asking first whether the image is there: the engine says so if it is not, and mostly it is.
        var made = await StartNewAsync(engine, replica, host, content, operation);
        if (made is not null)
        {
            return made;
        }

        if (policy == PullPolicies.Never)
        {
            return Outcome.Failed(
                ReplicaReasons.ErrImageNeverPull, $"image {replica.Spec.Template.Image} is not on host {host.Metadata.Name} and imagePullPolicy is Never");
        }

        return await PullAsync(engine, replica, operation)
            ?? await StartNewAsync(engine, replica, host, content, operation)
            ?? Outcome.Failed(ReplicaReasons.ErrImagePull, $"image {replica.Spec.Template.Image} was pulled and is gone again");
    }

    public async Task<Outcome> StartAsync(IEngine engine, Replica replica, string id, Operation operation)
    {
        using (await EnterAsync(_starts, operation.Cancelled))
        {
            return await StartInTurnAsync(engine, replica, id, operation.Ended);
        }
    }

    /// <summary>Does what is to be done after a start.</summary>
    public async Task<Outcome> PostStartAsync(IEngine engine, Replica replica, DockerHost host, string id, Operation operation) =>
        new(PostStart: new HookOutcome(await hooks.PostStartAsync(engine, replica, host, id, operation.Cancelled)));

    /// <summary>Stops with the grace period and starts again.</summary>
    /// <param name="startAgain">False: it is only stopped, and the planner decides when it starts.</param>
    public async Task<Outcome> RestartAsync(
        IEngine engine, Replica replica, DockerHost host, string id, string why, bool startAgain, Operation operation)
    {
        events.Record(replica, EventTypes.Normal, "Killing", $"Restarting the container: {why}");
        var grace = await hooks.PreStopAsync(engine, replica, host, id, operation.Ended);

        // After its hook it is stopped, whatever has changed: another stop would run the hook again, for another grace period.
        using (await EnterAsync(_stops, LifecycleHooks.HasPreStop(replica) ? operation.Ended : operation.Cancelled))
        {
            await engine.StopAsync(id, grace, operation.Ended);
        }

        // Deleted meanwhile: started again it would only be stopped a second time.
        return !startAgain || operation.Cancelled.IsCancellationRequested
            ? Outcome.Of(await engine.InspectAsync(id, operation.Ended))
            : await StartAsync(engine, replica, id, operation);
    }

    /// <summary>Stops as the Replica wants it, hook and all, and removes.</summary>
    public async Task<Outcome> StopForGoodAsync(IEngine engine, Replica replica, DockerHost host, ContainerSnapshot container, Operation operation)
    {
        var grace = replica.Spec.Template.TerminationGracePeriod;
        if (container.IsRunning && LifecycleHooks.HasPreStop(replica))
        {
            // What ends by itself during the hook is not to come back. A turn is for stops: hooks may all wait at once.
            if (container.RestartsAlways)
            {
                await engine.SetRestartPolicyAsync(container.Id, always: false, operation.Cancelled);
                container = container with { RestartsAlways = false };
            }

            grace = await hooks.PreStopAsync(engine, replica, host, container.Id, operation.Cancelled);
        }

        return await StopAndRemoveAsync(engine, container, grace, operation.Cancelled);
    }

    /// <summary>Policy to <c>no</c> first: a stopped container with <c>always</c> comes back with its engine.</summary>
    public async Task<Outcome> StopAndRemoveAsync(
        IEngine engine, ContainerSnapshot container, TimeSpan grace, CancellationToken cancellationToken)
    {
        using (await EnterAsync(_stops, cancellationToken))
        {
            if (container.State is ContainerState.Running or ContainerState.Restarting or ContainerState.Paused)
            {
                if (container.RestartsAlways)
                {
                    await engine.SetRestartPolicyAsync(container.Id, always: false, cancellationToken);
                }

                await engine.StopAsync(container.Id, grace, cancellationToken);
            }

            await engine.RemoveAsync(container.Id, cancellationToken);
            foreach (var volume in FileVolumes.NamesOf(container))
            {
                await engine.RemoveVolumeAsync(volume, cancellationToken);
            }

            return Outcome.Of(null);
        }
    }

    public static async Task<Outcome> SetRestartPolicyAsync(
        IEngine engine, ContainerSnapshot container, bool always, CancellationToken cancellationToken)
    {
        await engine.SetRestartPolicyAsync(container.Id, always, cancellationToken);
        return Outcome.Of(await engine.InspectAsync(container.Id, cancellationToken));
    }

    /// <returns>Null when it went well.</returns>
    private async Task<Outcome?> PullAsync(IEngine engine, Replica replica, Operation operation)
    {
        var image = replica.Spec.Template.Image;
        operation.Pulling = true;
        try
        {
            events.Record(replica, EventTypes.Normal, "Pulling", $"Pulling image \"{image}\"");
            var took = await puller.PullAsync(engine, replica, operation.Cancelled);
            onPulled();
            events.Record(
                replica, EventTypes.Normal, "Pulled", $"Pulled image \"{image}\" in {took.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s");
            return null;
        }
        catch (EngineException failure)
        {
            return Outcome.Failed(
                failure.IsTransport ? ReplicaReasons.EngineUnavailable : ReplicaReasons.ErrImagePull, $"cannot pull image {image}: {failure.Message}");
        }
        finally
        {
            operation.Pulling = false;
        }
    }

    /// <returns>Null when the image is not there.</returns>
    private async Task<Outcome?> StartNewAsync(IEngine engine, Replica replica, DockerHost host, RevisionContent? content, Operation operation)
    {
        using (await EnterAsync(_starts, operation.Cancelled))
        {
            string id;
            string? filler = null;
            try
            {
                // Files first: a container that is there is one whose files are.
                if (content is not null && replica.Spec.Template.Files is { Count: > 0 })
                {
                    (filler, var refused) = await FillAsync(engine, replica, host, content, operation.Ended);
                    if (refused is not null)
                    {
                        return refused;
                    }
                }

                id = await engine.CreateAsync(ContainerBody.Of(replica, host, instanceId, engine.PeerAddress, content), operation.Ended);
            }
            catch (EngineException missing) when (missing.Failure == EngineFailure.NotFound)
            {
                return null;
            }
            catch (EngineException taken) when (taken.Failure == EngineFailure.Conflict)
            {
                return await MeetNamesakeAsync(engine, replica, operation.Ended);
            }
            catch (EngineException failure) when (!failure.IsTransport)
            {
                return Outcome.Failed(ReplicaReasons.CreateContainerError, failure.Message);
            }
            finally
            {
                // Only now: a volume that no container has may be pruned.
                await RemoveFillerAsync(engine, filler, operation.Ended);
            }

            // Deleted meanwhile: it is there to be removed, not to be started.
            return operation.Cancelled.IsCancellationRequested
                ? Outcome.Of(await engine.InspectAsync(id, operation.Ended))
                : await StartInTurnAsync(engine, replica, id, operation.Ended);
        }
    }

    /// <summary>Makes the replica's volumes and lays its files into them. Done again it does the same.</summary>
    /// <returns>The filler, to be removed; or why it is not done.</returns>
    private async Task<(string? Filler, Outcome? Refused)> FillAsync(
        IEngine engine, Replica replica, DockerHost host, RevisionContent content, CancellationToken cancellationToken)
    {
        foreach (var name in FileVolumes.NamesOf(replica))
        {
            var labels = await engine.CreateVolumeAsync(name, FileVolumes.LabelsOf(replica, host, instanceId), cancellationToken);
            if (labels.GetValueOrDefault(Labels.Instance) != instanceId || labels.GetValueOrDefault(Labels.ReplicaUid) != replica.Metadata.Uid)
            {
                return (null, NameTaken("volume", name, replica));
            }
        }

        var filler = FileVolumes.FillerNameOf(replica);
        try
        {
            await engine.CreateAsync(FileVolumes.FillerOf(replica, host, instanceId), cancellationToken);
        }
        catch (EngineException taken) when (taken.Failure == EngineFailure.Conflict)
        {
            // An earlier try has left it: it has the same volumes.
            if (await engine.InspectAsync(filler, cancellationToken) is { } there
                && (there.Labels.GetValueOrDefault(Labels.Instance) != instanceId || there.Labels.GetValueOrDefault(FileVolumes.FillerLabel) != replica.Metadata.Uid))
            {
                return (null, NameTaken("container", filler, replica));
            }
        }

        try
        {
            await engine.ExtractAsync(filler, FileVolumes.ArchiveOf(content), cancellationToken);
            return (filler, null);
        }
        catch (EngineException missing) when (missing.Failure == EngineFailure.NotFound)
        {
            return (filler, Outcome.Failed(ReplicaReasons.EngineUnavailable, $"what was to take its files is gone: {missing.Message}"));
        }
        catch
        {
            await RemoveFillerAsync(engine, filler, cancellationToken);
            throw;
        }
    }

    private async Task RemoveFillerAsync(IEngine engine, string? filler, CancellationToken cancellationToken)
    {
        try
        {
            if (filler is not null)
            {
                await engine.RemoveAsync(filler, cancellationToken);
            }
        }
        catch (Exception failure) when (failure is EngineException or OperationCanceledException)
        {
            // The next look at the engine removes it.
            Log.FillerStays(logger, failure, filler!);
        }
    }

    private static Outcome NameTaken(string what, string name, Replica replica) => Outcome.Failed(
        ReplicaReasons.NameConflict,
        $"a {what} named {name} that is not of this installation is on host {replica.Spec.HostName}: it is not touched; remove or rename it");

    private async Task<Outcome> StartInTurnAsync(IEngine engine, Replica replica, string id, CancellationToken cancellationToken)
    {
        try
        {
            await engine.StartAsync(id, cancellationToken);
        }
        catch (EngineException failure) when (!failure.IsTransport)
        {
            var seen = await engine.InspectAsync(id, cancellationToken);
            return Outcome.Of(seen) with { Failure = (Setback.ReasonOfStart(failure), Explain(replica, failure)) };
        }

        events.Record(
            replica,
            EventTypes.Normal,
            "Started",
            $"Started container {id[..Math.Min(12, id.Length)]} on host {replica.Spec.HostName}, port {replica.Spec.HostPort}");
        return Outcome.Of(await engine.InspectAsync(id, cancellationToken));
    }

    /// <summary>A container of our name is there: an earlier try of our own, one of an earlier Replica, or somebody else's.</summary>
    private async Task<Outcome> MeetNamesakeAsync(IEngine engine, Replica replica, CancellationToken cancellationToken)
    {
        var name = ContainerBody.NameOf(replica);
        var namesake = await engine.InspectAsync(name, cancellationToken);
        if (namesake is null)
        {
            // Taken, and not to be seen: an engine keeps the name before the container can be looked at, and after it is gone.
            return Outcome.Failed(ReplicaReasons.EngineUnavailable, $"the name {name} on host {replica.Spec.HostName} is being made or removed");
        }

        if (namesake.Labels.GetValueOrDefault(Labels.Instance) != instanceId)
        {
            return NameTaken("container", name, replica);
        }

        if (namesake.ReplicaUid == replica.Metadata.Uid)
        {
            return Outcome.Of(namesake);
        }

        // Of an earlier Replica of the name: the API has one object of a name at a time, so that one is gone.
        Log.RemovingPredecessor(logger, name, namesake.ReplicaUid);
        await engine.RemoveAsync(namesake.Id, cancellationToken);
        return Outcome.Of(null);
    }

    private static string Explain(Replica replica, EngineException failure) => Setback.ReasonOfStart(failure) switch
    {
        ReplicaReasons.PortUnavailable => $"port {replica.Spec.HostPort} on host {replica.Spec.HostName} is taken: {failure.Message}",
        ReplicaReasons.PublishAddressUnavailable =>
            $"the publish address is not one of host {replica.Spec.HostName}; set spec.publishAddress of the DockerHost: {failure.Message}",
        _ => failure.Message,
    };

    private static async Task<Turn> EnterAsync(SemaphoreSlim semaphore, CancellationToken cancellationToken)
    {
        await semaphore.WaitAsync(cancellationToken);
        return new Turn(semaphore);
    }

    private readonly struct Turn(SemaphoreSlim semaphore) : IDisposable
    {
        public void Dispose() => semaphore.Release();
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Container {Name}, which has laid files into volumes, could not be removed yet")]
        public static partial void FillerStays(ILogger logger, Exception failure, string name);

        [LoggerMessage(Level = LogLevel.Information, Message = "Removing container {Name} of a Replica that is gone ({Uid})")]
        public static partial void RemovingPredecessor(ILogger logger, string name, string uid);
    }
}
