using Docker.DotNet;
using Docker.DotNet.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Engines.Ssh;
using Orchestrator.HostAgent.Images;
using Orchestrator.HostAgent.Usage;

namespace Orchestrator.HostAgent.Engines;

/// <summary>An engine through Docker.DotNet, over pooled connections, with the API version agreed on when it was connected.</summary>
internal sealed class DockerEngine(
    DockerClient client, EngineDialer dialer, EngineCertificates? certificates, EngineFacts facts, EnginePipeline pipeline, TimeProvider time)
    : IEngine
{
    /// <summary>
    /// Of the calls that hold a connection for long and that nobody else bounds, as many as may be under way at a time by ssh, where
    /// connections are few (<see cref="SshConnections.Most"/>): short ones are to find one. More wait, and their time does not run yet. Samples
    /// are read in a session of their own, which has little else to do.
    /// </summary>
    private const int PullsBySsh = 4;
    private const int SamplesBySsh = 24;

    private readonly Turns _pulls = new(dialer.Endpoint.Transport == EngineTransport.Ssh ? PullsBySsh : int.MaxValue);
    private readonly Turns _samples = new(dialer.Endpoint.Transport == EngineTransport.Ssh ? SamplesBySsh : int.MaxValue);

    public EngineFacts Facts => facts;

    public string? PeerAddress => dialer.PeerAddress?.ToString();

    public void Dispose()
    {
        client.Dispose();
        dialer.Dispose();
        certificates?.Dispose();
    }

    public Task PingAsync(CancellationToken cancellationToken) =>
        Call(EngineOperation.Ping, token => Done(client.System.PingAsync(token)), cancellationToken);

    public async Task<IReadOnlyList<ListedContainer>> ListAsync(string instanceId, CancellationToken cancellationToken)
    {
        var parameters = new ContainersListParameters { All = true, Filters = Filter(("label", [$"{Labels.Instance}={instanceId}"])) };
        var listed = await Call(
            EngineOperation.List, token => client.Containers.ListContainersAsync(parameters, token), cancellationToken);
        return [.. listed.Select(container => new ListedContainer(
            container.ID,
            container.Names?.FirstOrDefault()?.TrimStart('/') ?? "",
            container.Labels.AsReadOnly(),
            ContainerTranslation.State(container.State)))];
    }

    public async Task<ContainerSnapshot?> InspectAsync(string idOrName, CancellationToken cancellationToken)
    {
        try
        {
            return ContainerTranslation.Snapshot(await Call(
                EngineOperation.Inspect, token => client.Containers.InspectContainerAsync(idOrName, token), cancellationToken));
        }
        catch (EngineException failure) when (failure.Failure == EngineFailure.NotFound)
        {
            return null;
        }
    }

    public async Task<string> CreateAsync(CreateContainerParameters body, CancellationToken cancellationToken) =>
        (await Call(EngineOperation.Create, token => client.Containers.CreateContainerAsync(body, token), cancellationToken)).ID;

    public Task StartAsync(string id, CancellationToken cancellationToken) =>
        Call(EngineOperation.Start, token => client.Containers.StartContainerAsync(id, new ContainerStartParameters(), token), cancellationToken);

    public Task SetRestartPolicyAsync(string id, bool always, CancellationToken cancellationToken)
    {
        var update = new ContainerUpdateParameters
        {
            RestartPolicy = new RestartPolicy { Name = always ? RestartPolicyKind.Always : RestartPolicyKind.No },
        };
        return Call(EngineOperation.Update, token => client.Containers.UpdateContainerAsync(id, update, token), cancellationToken);
    }

    public async Task StopAsync(string id, TimeSpan grace, CancellationToken cancellationToken)
    {
        var seconds = (uint)Math.Ceiling(grace.TotalSeconds);
        var operation = EngineOperation.Stop with { Timeout = EngineOperation.Stop.Timeout + grace };
        try
        {
            // Docker.DotNet leaves a grace of 0 out of the request, and the engine then takes 10 s: kill instead.
            await (seconds == 0
                ? Call(operation, token => Done(client.Containers.KillContainerAsync(id, new ContainerKillParameters(), token)), cancellationToken)
                : Call(
                    operation,
                    token => client.Containers.StopContainerAsync(id, new ContainerStopParameters { WaitBeforeKillSeconds = seconds }, token),
                    cancellationToken));
        }
        catch (EngineException failure) when (
            failure.Failure == EngineFailure.NotFound || (failure.Failure == EngineFailure.Conflict && seconds == 0))
        {
            // There is none, or (conflict of a kill) it does not run: what was asked for holds.
        }
    }

    public async Task RemoveAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            await Call(
                EngineOperation.Remove,
                token => Done(client.Containers.RemoveContainerAsync(id, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, token)),
                cancellationToken);
        }
        catch (EngineException failure) when (failure.Failure == EngineFailure.NotFound)
        {
            // Gone already.
        }
    }

    public async Task<IReadOnlyDictionary<string, string>> CreateVolumeAsync(
        string name, IDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var volume = await Call(
            EngineOperation.CreateVolume,
            token => client.Volumes.CreateAsync(new VolumesCreateParameters { Name = name, Labels = labels }, token),
            cancellationToken);
        return (volume.Labels ?? new Dictionary<string, string>()).AsReadOnly();
    }

    public async Task<IReadOnlyList<ListedVolume>> ListVolumesAsync(string instanceId, CancellationToken cancellationToken)
    {
        var parameters = new VolumesListParameters { Filters = Filter(("label", [$"{Labels.Instance}={instanceId}"])) };
        var listed = await Call(EngineOperation.ListVolumes, token => client.Volumes.ListAsync(parameters, token), cancellationToken);
        return [.. (listed.Volumes ?? []).Select(volume => new ListedVolume(volume.Name, (volume.Labels ?? new Dictionary<string, string>()).AsReadOnly()))];
    }

    public async Task RemoveVolumeAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await Call(EngineOperation.RemoveVolume, token => Done(client.Volumes.RemoveAsync(name, force: false, token)), cancellationToken);
        }
        catch (EngineException failure) when (failure.Failure is EngineFailure.NotFound or EngineFailure.Conflict)
        {
            // Gone already, or in use.
        }
    }

    public Task ExtractAsync(string id, byte[] archive, CancellationToken cancellationToken) => Call(
        EngineOperation.Extract,
        async token =>
        {
            // Anew for each try: a stream that was sent is at its end.
            using var stream = new MemoryStream(archive, writable: false);
            return await Done(client.Containers.ExtractArchiveToContainerAsync(id, new CopyToContainerParameters { Path = "/" }, stream, token));
        },
        cancellationToken);

    public async Task PullAsync(ImageReference image, RegistryCredentials? credentials, CancellationToken cancellationToken)
    {
        using var turn = await _pulls.EnterAsync(cancellationToken);
        await Call(EngineOperation.Pull, token => Done(PullStream.RunAsync(client.Images, image, credentials, time, token)), cancellationToken);
    }

    public async Task<long?> ExecAsync(string id, IList<string> command, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var parameters = new ContainerExecCreateParameters { Cmd = command };
        var started = time.GetTimestamp();
        var exec = await Call(EngineOperation.Exec, token => client.Exec.CreateContainerExecAsync(id, parameters, token), cancellationToken);
        using (await Call(
            EngineOperation.Exec,
            token => client.Exec.StartContainerExecAsync(exec.ID, new ContainerExecStartParameters { Detach = true }, token),
            cancellationToken))
        {
            // Detached: there is no output to read, and reading it would hold a thread.
        }

        var pause = TimeSpan.FromMilliseconds(20);
        while (true)
        {
            var state = await Call(EngineOperation.ExecInspect, token => client.Exec.InspectContainerExecAsync(exec.ID, token), cancellationToken);
            if (!state.Running && state.ExitCode is { } exitCode)
            {
                return exitCode;
            }

            if (time.GetElapsedTime(started) >= timeout)
            {
                return null;
            }

            await Task.Delay(pause, time, cancellationToken);
            pause = pause * 2 < TimeSpan.FromMilliseconds(500) ? pause * 2 : TimeSpan.FromMilliseconds(500);
        }
    }

    public Task<string?> LastLogLineAsync(string id, DateTimeOffset until, CancellationToken cancellationToken) =>
        Call(EngineOperation.Logs, token => LogTail.LastLineAsync(client.Containers, id, until, token), cancellationToken);

    public async Task<ContainerSample?> SampleAsync(string id, CancellationToken cancellationToken)
    {
        using var turn = await _samples.EnterAsync(cancellationToken);
        return await Call(
            EngineOperation.Stats,
            async token =>
            {
                var taken = new Once();
                await client.Containers.GetContainerStatsAsync(id, new ContainerStatsParameters { Stream = false, OneShot = true }, taken, token);
                return taken.Value is { } answer ? StatsTranslation.Sample(answer) : null;
            },
            cancellationToken);
    }

    public async Task<IEngineEventStream> OpenEventsAsync(string instanceId, CancellationToken cancellationToken)
    {
        // Probes by HEALTHCHECK and exec would make most of the events, and are none of ours.
        var parameters = new ContainerEventsParameters
        {
            Filters = Filter(
                ("type", ["container"]),
                ("label", [$"{Labels.Instance}={instanceId}"]),
                ("event", ["start", "die", "destroy", "oom", "pause", "unpause", "update"])),
        };

        // The overload that returns the stream is the one that tells when it is open.
#pragma warning disable CS0618
        var stream = await Call(EngineOperation.Events, token => client.System.MonitorEventsAsync(parameters, token), cancellationToken);
#pragma warning restore CS0618
        return new EngineEventStream(stream, failure => EngineErrors.Classify(failure, dialer, certificates));
    }

    public async Task<IReadOnlyList<ListedImage>> ListImagesAsync(CancellationToken cancellationToken)
    {
        var images = await Call(EngineOperation.Images, token => client.Images.ListImagesAsync(new ImagesListParameters(), token), cancellationToken);
        return [.. images.Select(image => new ListedImage(image.ID, Names(image.RepoTags), Names(image.RepoDigests), image.Size))];
    }

    public async Task<IReadOnlySet<string>> ListUsedImagesAsync(CancellationToken cancellationToken)
    {
        var listed = await Call(
            EngineOperation.List, token => client.Containers.ListContainersAsync(new ContainersListParameters { All = true }, token), cancellationToken);
        return listed.Select(container => container.ImageID).ToHashSet();
    }

    public async Task<string?> FindImageAsync(ImageReference image, CancellationToken cancellationToken)
    {
        try
        {
            return (await Call(EngineOperation.ImageInspect, token => client.Images.InspectImageAsync(image.Normalized, token), cancellationToken)).ID;
        }
        catch (EngineException failure) when (failure.Failure == EngineFailure.NotFound)
        {
            return null;
        }
    }

    public async Task<bool> RemoveImageAsync(string id, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        // By its id an image of several names goes by force only. With the last tag of a repository go its digests.
        var tags = names.Where(name => !name.Contains('@', StringComparison.Ordinal)).ToList();
        var gone = false;
        foreach (var name in tags.Count > 0 ? tags : names.Count > 1 ? names : [id])
        {
            try
            {
                var done = await Call(
                    EngineOperation.ImageRemove, token => client.Images.DeleteImageAsync(name, new ImageDeleteParameters(), token), cancellationToken);
                gone |= done.Any(one => one.TryGetValue("Deleted", out var deleted) && deleted == id);
            }
            catch (EngineException failure) when (failure.Failure == EngineFailure.NotFound)
            {
                // Gone already.
            }
        }

        return gone;
    }

    public DiskUse? Disk() => EngineDisk.Of(dialer.Endpoint, facts);

    public async Task<IReadOnlyList<HostImage>> ImagesAsync(CancellationToken cancellationToken) =>
    [
        .. (await ListImagesAsync(cancellationToken))
            .Select(image => new HostImage { Names = [.. image.Tags, .. image.Digests], SizeBytes = image.SizeBytes })
            .Where(image => image.Names.Count > 0)
            .OrderByDescending(image => image.SizeBytes)
            .ThenBy(image => image.Names[0], StringComparer.Ordinal)
            .Take(DockerHostStatus.MaxImages),
    ];

    private static List<string> Names(IList<string>? names) => [.. (names ?? []).Where(name => !name.StartsWith("<none>", StringComparison.Ordinal))];

    private static Dictionary<string, IDictionary<string, bool>> Filter(params (string Key, string[] Values)[] filters) =>
        filters.ToDictionary(filter => filter.Key, IDictionary<string, bool> (filter) => filter.Values.ToDictionary(value => value, _ => true));

    private static async Task<bool> Done(Task call)
    {
        await call;
        return true;
    }

    private Task<T> Call<T>(EngineOperation operation, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken) =>
        pipeline.RunAsync(operation, EngineCalls.Guard(call, dialer, certificates), cancellationToken);

    /// <summary>Takes the one answer at once, on the thread that reads it: Progress would post it, and it could come too late.</summary>
    private sealed class Once : IProgress<ContainerStatsResponse>
    {
        public ContainerStatsResponse? Value { get; private set; }

        public void Report(ContainerStatsResponse value) => Value = value;
    }
}
