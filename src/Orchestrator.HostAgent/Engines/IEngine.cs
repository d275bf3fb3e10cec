using Docker.DotNet.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Images;
using Orchestrator.HostAgent.Usage;

namespace Orchestrator.HostAgent.Engines;

/// <summary>
/// The calls of one Docker engine that the agent makes; nothing else of the project knows Docker's API. Every call fails
/// with an <see cref="EngineException"/> only, or an OperationCanceledException when the caller gives up.
/// </summary>
internal interface IEngine : IDisposable
{
    EngineFacts Facts { get; }

    /// <summary>The address it was reached at; null for a unix socket.</summary>
    string? PeerAddress { get; }

    /// <summary>Whether it answers; on a way of its own past the circuit breaker.</summary>
    Task PingAsync(CancellationToken cancellationToken);

    /// <summary>All containers, in any state, that carry the installation's label.</summary>
    Task<IReadOnlyList<ListedContainer>> ListAsync(string instanceId, CancellationToken cancellationToken);

    /// <returns>Null when there is no such container.</returns>
    Task<ContainerSnapshot?> InspectAsync(string idOrName, CancellationToken cancellationToken);

    /// <returns>The id.</returns>
    /// <exception cref="EngineException">NotFound: its image is not there. Conflict: a container of this name is.</exception>
    Task<string> CreateAsync(CreateContainerParameters body, CancellationToken cancellationToken);

    /// <summary>Starts it; one that runs stays as it is.</summary>
    Task StartAsync(string id, CancellationToken cancellationToken);

    Task SetRestartPolicyAsync(string id, bool always, CancellationToken cancellationToken);

    /// <summary>Sends the stop signal and, after the grace period, kills. Returns when it has ended, or there is none.</summary>
    Task StopAsync(string id, TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Kills and removes it with its anonymous volumes. Gone already is as good; Conflict: it is being removed.</summary>
    Task RemoveAsync(string id, CancellationToken cancellationToken);

    /// <summary>Makes a named volume on the host's disk; one of this name that is there stays as it is.</summary>
    /// <returns>The labels it has.</returns>
    Task<IReadOnlyDictionary<string, string>> CreateVolumeAsync(string name, IDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>All volumes that carry the installation's label.</summary>
    Task<IReadOnlyList<ListedVolume>> ListVolumesAsync(string instanceId, CancellationToken cancellationToken);

    /// <summary>Gone already is as good; one that a container has stays.</summary>
    Task RemoveVolumeAsync(string name, CancellationToken cancellationToken);

    /// <summary>Unpacks a tar archive into a container's root, and so into its volumes; it need not run. Files that are there are replaced.</summary>
    Task ExtractAsync(string id, byte[] archive, CancellationToken cancellationToken);

    /// <exception cref="EngineException">Also for an error that came inside the stream of an answer that began well.</exception>
    Task PullAsync(ImageReference image, RegistryCredentials? credentials, CancellationToken cancellationToken);

    /// <summary>Runs a command in a container.</summary>
    /// <returns>The exit code; null when it did not end in time (the engine has no way to end it: it goes on).</returns>
    Task<long?> ExecAsync(string id, IList<string> command, TimeSpan timeout, CancellationToken cancellationToken);

    /// <param name="until">The end of the run whose last words are wanted: another one may have begun.</param>
    /// <returns>The last line of its log until then, without control characters; null when it has none.</returns>
    Task<string?> LastLogLineAsync(string id, DateTimeOffset until, CancellationToken cancellationToken);

    /// <summary>Reads a container's counters once. An engine before 25 answers with its next reading, within a second.</summary>
    /// <returns>Null when it does not run.</returns>
    /// <exception cref="EngineException">NotFound: there is no such container.</exception>
    Task<ContainerSample?> SampleAsync(string id, CancellationToken cancellationToken);

    /// <summary>Opens the stream of container events of this installation. Read on until it ends or fails.</summary>
    Task<IEngineEventStream> OpenEventsAsync(string instanceId, CancellationToken cancellationToken);

    /// <summary>All images, also those without a name.</summary>
    Task<IReadOnlyList<ListedImage>> ListImagesAsync(CancellationToken cancellationToken);

    /// <summary>Ids of the images that containers are made from: all containers in any state, whosever they are.</summary>
    Task<IReadOnlySet<string>> ListUsedImagesAsync(CancellationToken cancellationToken);

    /// <returns>The id of the image that a reference names; null when there is none.</returns>
    Task<string?> FindImageAsync(ImageReference image, CancellationToken cancellationToken);

    /// <summary>Takes an image's names away, and so the image. Nothing is forced; gone already is as good.</summary>
    /// <param name="names">All that it has.</param>
    /// <returns>Whether the image is gone by this: not if it has got another name, or others are built upon it.</returns>
    /// <exception cref="EngineException">Conflict: it is in use.</exception>
    Task<bool> RemoveImageAsync(string id, IReadOnlyList<string> names, CancellationToken cancellationToken);

    /// <summary>The disk with the engine's data; null when it cannot be seen from here. An engine does not tell.</summary>
    DiskUse? Disk();

    /// <summary>Images, largest first, at most <see cref="DockerHostStatus.MaxImages"/>.</summary>
    Task<IReadOnlyList<HostImage>> ImagesAsync(CancellationToken cancellationToken);
}

internal interface IEngineEventStream : IAsyncDisposable
{
    /// <returns>Null when the engine ended the stream.</returns>
    /// <exception cref="EngineException">The connection was lost.</exception>
    Task<EngineEvent?> NextAsync(CancellationToken cancellationToken);
}
