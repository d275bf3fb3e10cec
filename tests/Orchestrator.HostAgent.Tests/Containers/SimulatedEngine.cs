using Docker.DotNet.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Images;
using Orchestrator.HostAgent.Usage;

namespace Orchestrator.HostAgent.Tests.Containers;

/// <summary>An engine with one container, at moments that a real one cannot be held at. What a test does not need is not there.</summary>
internal sealed class SimulatedEngine : IEngine
{
    public const string Id = "c1";

    private readonly List<string> _calls = [];

    public Func<CancellationToken, Task> OnCreate { get; init; } = _ => Task.CompletedTask;

    public Func<IList<string>, Task<long?>> OnExec { get; init; } = _ => throw new InvalidOperationException();

    public Func<CancellationToken, Task> OnInspect { get; init; } = _ => Task.CompletedTask;

    public Func<CancellationToken, Task> OnStop { get; init; } = _ => Task.CompletedTask;

    public Func<CancellationToken, Task> OnRemove { get; set; } = _ => Task.CompletedTask;

    /// <summary>What it lists; looks at any of them find the one container.</summary>
    public IReadOnlyList<ListedContainer> Listed { get; init; } = [];

    /// <summary>Whatever was called: the calls that change something, and looks.</summary>
    public IReadOnlyList<string> Calls => _calls;

    /// <summary>Of the last stop.</summary>
    public TimeSpan? Grace { get; private set; }

    /// <summary>Null: it is not to be seen.</summary>
    public ContainerState? State { get; set; } = ContainerState.Created;

    public EngineFacts Facts => throw new InvalidOperationException();

    public string? PeerAddress => "127.0.0.1";

    public async Task<string> CreateAsync(CreateContainerParameters body, CancellationToken cancellationToken)
    {
        _calls.Add("create");
        await OnCreate(cancellationToken);
        return Id;
    }

    public Task StartAsync(string id, CancellationToken cancellationToken)
    {
        _calls.Add("start");
        State = ContainerState.Running;
        return Task.CompletedTask;
    }

    public async Task StopAsync(string id, TimeSpan grace, CancellationToken cancellationToken)
    {
        _calls.Add("stop");
        Grace = grace;
        await OnStop(cancellationToken);
        State = ContainerState.Exited;
    }

    public async Task<ContainerSnapshot?> InspectAsync(string idOrName, CancellationToken cancellationToken)
    {
        _calls.Add("inspect");
        await OnInspect(cancellationToken);
        return State is { } state ? Snapshots.Of(state, id: Id) : null;
    }

    public Task PingAsync(CancellationToken cancellationToken) => throw new InvalidOperationException();

    public Task<IReadOnlyList<ListedContainer>> ListAsync(string instanceId, CancellationToken cancellationToken) => Task.FromResult(Listed);

    public Task SetRestartPolicyAsync(string id, bool always, CancellationToken cancellationToken)
    {
        _calls.Add(always ? "policy always" : "policy no");
        return Task.CompletedTask;
    }

    public Task RemoveAsync(string id, CancellationToken cancellationToken)
    {
        _calls.Add("remove");
        return OnRemove(cancellationToken);
    }

    /// <summary>Names of the volumes there are, with their labels.</summary>
    public Dictionary<string, IDictionary<string, string>> Volumes { get; } = [];

    public Task<IReadOnlyDictionary<string, string>> CreateVolumeAsync(string name, IDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        _calls.Add("create volume");
        Volumes.TryAdd(name, labels);
        return Task.FromResult<IReadOnlyDictionary<string, string>>(Volumes[name].AsReadOnly());
    }

    public Func<Task> OnListVolumes { get; init; } = () => Task.CompletedTask;

    public async Task<IReadOnlyList<ListedVolume>> ListVolumesAsync(string instanceId, CancellationToken cancellationToken)
    {
        await OnListVolumes();
        return [.. Volumes.Select(volume => new ListedVolume(volume.Key, volume.Value.AsReadOnly()))];
    }

    public Task RemoveVolumeAsync(string name, CancellationToken cancellationToken)
    {
        _calls.Add($"remove volume {name}");
        Volumes.Remove(name);
        return Task.CompletedTask;
    }

    public Func<CancellationToken, Task> OnExtract { get; init; } = _ => Task.CompletedTask;

    public Task ExtractAsync(string id, byte[] archive, CancellationToken cancellationToken)
    {
        _calls.Add("extract");
        return OnExtract(cancellationToken);
    }

    public Func<ImageReference, Task> OnPull { get; init; } = _ => throw new InvalidOperationException();

    public Task PullAsync(ImageReference image, RegistryCredentials? credentials, CancellationToken cancellationToken) => OnPull(image);

    public Task<long?> ExecAsync(string id, IList<string> command, TimeSpan timeout, CancellationToken cancellationToken) 
    {
        _calls.Add("exec");
        return OnExec(command);
    }

    public Task<string?> LastLogLineAsync(string id, DateTimeOffset until, CancellationToken cancellationToken) => throw new InvalidOperationException();

    public Func<string, Task<ContainerSample?>> OnSample { get; init; } = _ => throw new InvalidOperationException();

    public Task<ContainerSample?> SampleAsync(string id, CancellationToken cancellationToken) => OnSample(id);

    public Task<IEngineEventStream> OpenEventsAsync(string instanceId, CancellationToken cancellationToken) => throw new InvalidOperationException();

    /// <summary>Images, to be removed by the id or by the last tag.</summary>
    public List<ListedImage> Images { get; } = [];

    public HashSet<string> UsedImages { get; } = [];

    public Func<string, Task> OnRemoveImage { get; init; } = _ => Task.CompletedTask;

    public DiskUse? DiskUse { get; set; }

    public Task<IReadOnlyList<ListedImage>> ListImagesAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<ListedImage>>([.. Images]);

    public Task<IReadOnlySet<string>> ListUsedImagesAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlySet<string>>(UsedImages.ToHashSet());

    public Task<string?> FindImageAsync(ImageReference image, CancellationToken cancellationToken) =>
        Task.FromResult(Images.Find(one => one.Tags.Contains(image.Normalized))?.Id);

    public async Task<bool> RemoveImageAsync(string id, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        _calls.Add($"remove image {id}");
        await OnRemoveImage(id);
        return Images.RemoveAll(image => image.Id == id) > 0;
    }

    public DiskUse? Disk() => DiskUse;

    public Task<IReadOnlyList<HostImage>> ImagesAsync(CancellationToken cancellationToken) => throw new InvalidOperationException();

    public void Dispose()
    {
        // Nothing is held.
    }
}
