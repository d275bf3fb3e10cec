using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.SimulatedEngines;

/// <summary>One engine: its containers, volumes and images, and how it takes and refuses what it is asked to do.</summary>
internal sealed class SimulatedEngine(SimulationOptions options, TimeProvider time) : IDisposable
{
    /// <summary>128 + SIGKILL: the exit code of a process that was killed.</summary>
    private const int Killed = 137;

    /// <summary>Execs whose exit code can still be asked for. A real engine forgets one minutes after it has ended.</summary>
    private const int RememberedExecs = 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, SimulatedContainer> _containers = [];
    private readonly Dictionary<string, SimulatedContainer> _names = [];
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _volumes = [];
    private readonly Dictionary<string, int> _execs = [];
    private readonly Queue<string> _execsByAge = new();
    private readonly HashSet<string> _images = [];

    public EventFeed Events { get; } = new();

    /// <summary>By the engine's clock.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    public IReadOnlyList<string> Images
    {
        get
        {
            lock (_lock)
            {
                return [.. _images];
            }
        }
    }

    public IReadOnlyList<KeyValuePair<string, IReadOnlyDictionary<string, string>>> Volumes
    {
        get
        {
            lock (_lock)
            {
                return [.. _volumes];
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var container in _containers.Values)
            {
                Close_NeedsLock(container);
            }
        }
    }

    /// <summary>Reads a container at one moment.</summary>
    public T Look<T>(string idOrName, Func<SimulatedContainer, T> look)
    {
        lock (_lock)
        {
            return look(Find_NeedsLock(idOrName));
        }
    }

    public IReadOnlyList<T> List<T>(Func<SimulatedContainer, bool> which, Func<SimulatedContainer, T> look)
    {
        lock (_lock)
        {
            return [.. _containers.Values.Where(which).Select(look)];
        }
    }

    public async Task<string> CreateAsync(string name, ContainerRequest request)
    {
        SimulatedContainer container;
        lock (_lock)
        {
            if (_names.TryGetValue(name, out var other))
            {
                throw new EngineRefusalException(
                    409, $"Conflict. The container name \"/{name}\" is already in use by container \"{other.Id}\". You have to remove (or rename) that container to be able to reuse that name.");
            }

            if (!_images.Contains(request.Image))
            {
                throw new EngineRefusalException(404, $"No such image: {request.Image}");
            }

            container = new SimulatedContainer(NewId(), name, request, time.GetUtcNow());
            _containers.Add(container.Id, container);
            _names.Add(name, container);
            foreach (var volume in request.Volumes)
            {
                _volumes.TryAdd(volume, new Dictionary<string, string>());
            }
        }

        await WorkAsync(options.Latencies.Create);
        Tell("create", container);
        return container.Id;
    }

    /// <returns>False: it runs already.</returns>
    public async Task<bool> StartAsync(string idOrName)
    {
        SimulatedContainer container;
        lock (_lock)
        {
            container = Find_NeedsLock(idOrName);
            ThrowIfRemoving_NeedsLock(container);
            if (container.Running || container.Starting)
            {
                return false;
            }

            container.Starting = true;
        }

        await WorkAsync(options.Latencies.Start);
        lock (_lock)
        {
            container.Starting = false;
            if (!_containers.ContainsKey(container.Id))
            {
                throw EngineRefusalException.NoSuchContainer(idOrName);
            }

            ThrowIfRemoving_NeedsLock(container);
            Publish_NeedsLock(container);
            container.State = "running";
            container.ExitCode = 0;
            container.StartedAt = time.GetUtcNow();
        }

        Tell("start", container);
        return true;
    }

    /// <returns>False: it does not run.</returns>
    public async Task<bool> StopAsync(string idOrName)
    {
        if (!Look(idOrName, container => container.Running))
        {
            return false;
        }

        // Every simulated process ends at once when it is told to.
        await WorkAsync(options.Latencies.Stop);
        End(idOrName, exitCode: 0);
        return true;
    }

    public void Kill(string idOrName)
    {
        if (!End(idOrName, Killed))
        {
            throw new EngineRefusalException(409, $"Cannot kill container: {idOrName}: Container {idOrName} is not running");
        }
    }

    public async Task UpdateAsync(string idOrName, string restartPolicy)
    {
        var container = Look(idOrName, container => container);
        await WorkAsync(options.Latencies.Update);
        lock (_lock)
        {
            container.RestartPolicy = restartPolicy;
        }

        Tell("update", container);
    }

    public async Task RemoveAsync(string idOrName, bool force)
    {
        SimulatedContainer container;
        bool ran;
        lock (_lock)
        {
            container = Find_NeedsLock(idOrName);
            if (container.State == "removing")
            {
                throw new EngineRefusalException(409, $"removal of container {container.Id} is already in progress");
            }

            if (container.Running && !force)
            {
                throw new EngineRefusalException(409, $"You cannot remove a running container {container.Id}. Stop the container before attempting removal or force remove");
            }

            ran = End_NeedsLock(container, Killed);
            container.State = "removing";
        }

        if (ran)
        {
            Tell("die", container, Killed);
        }

        await WorkAsync(options.Latencies.Remove);
        lock (_lock)
        {
            _containers.Remove(container.Id);
            _names.Remove(container.Name);
        }

        Tell("destroy", container);
    }

    public async Task<string> CreateExecAsync(string idOrName, IReadOnlyList<string> command)
    {
        await WorkAsync(options.Latencies.Exec);
        lock (_lock)
        {
            var container = Find_NeedsLock(idOrName);
            if (!container.Running)
            {
                throw new EngineRefusalException(409, $"Container {container.Id} is not running");
            }

            var id = NewId();
            _execs.Add(id, command is ["false", ..] ? 1 : 0);
            _execsByAge.Enqueue(id);
            if (_execsByAge.Count > RememberedExecs)
            {
                _execs.Remove(_execsByAge.Dequeue());
            }

            return id;
        }
    }

    /// <returns>The exit code. There is no process: it has ended when it is asked for.</returns>
    public int ExitCodeOfExec(string id)
    {
        lock (_lock)
        {
            return _execs.TryGetValue(id, out var exitCode) ? exitCode : throw new EngineRefusalException(404, $"No such exec instance: {id}");
        }
    }

    /// <returns>The labels of the volume that now is there.</returns>
    public IReadOnlyDictionary<string, string> CreateVolume(string name, IReadOnlyDictionary<string, string> labels)
    {
        lock (_lock)
        {
            _volumes.TryAdd(name, labels);
            return _volumes[name];
        }
    }

    public void RemoveVolume(string name)
    {
        lock (_lock)
        {
            if (!_volumes.ContainsKey(name))
            {
                throw new EngineRefusalException(404, $"get {name}: no such volume");
            }

            if (_containers.Values.FirstOrDefault(container => container.Volumes.Contains(name)) is { } user)
            {
                throw new EngineRefusalException(409, $"remove {name}: volume is in use - [{user.Id}]");
            }

            _volumes.Remove(name);
        }
    }

    /// <summary>Each reference is an image of its own.</summary>
    public static string IdOfImage(string image) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(image)))}";

    public string FindImage(string nameOrId)
    {
        lock (_lock)
        {
            return IdOfImage(FindImage_NeedsLock(nameOrId));
        }
    }

    /// <returns>As the engine words it: what was <c>Untagged</c>, and what was <c>Deleted</c>.</returns>
    public IReadOnlyList<(string What, string Name)> RemoveImage(string nameOrId)
    {
        lock (_lock)
        {
            var image = FindImage_NeedsLock(nameOrId);
            if (_containers.Values.FirstOrDefault(container => container.Image == image) is { } user)
            {
                throw new EngineRefusalException(
                    409, $"conflict: unable to remove repository reference \"{image}\" (must force) - container {user.Id[..12]} is using its referenced image");
            }

            _images.Remove(image);
            return [("Untagged", image), ("Deleted", IdOfImage(image))];
        }
    }

    public void Pull(string image)
    {
        if (!options.Images.Contains(image))
        {
            throw new EngineRefusalException(404, $"manifest for {image} not found: manifest unknown: manifest unknown");
        }

        lock (_lock)
        {
            _images.Add(image);
        }
    }

    private static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    private static void Close_NeedsLock(SimulatedContainer container)
    {
        container.Published.ForEach(port => port.Dispose());
        container.Published.Clear();
    }

    private string FindImage_NeedsLock(string nameOrId) =>
        _images.FirstOrDefault(image => image == nameOrId || IdOfImage(image) == nameOrId) ?? throw new EngineRefusalException(404, $"No such image: {nameOrId}");

    private SimulatedContainer Find_NeedsLock(string idOrName) =>
        _containers.GetValueOrDefault(idOrName) ?? _names.GetValueOrDefault(idOrName) ?? throw EngineRefusalException.NoSuchContainer(idOrName);

    private static void ThrowIfRemoving_NeedsLock(SimulatedContainer container)
    {
        if (container.State == "removing")
        {
            throw new EngineRefusalException(409, "container is marked for removal and cannot be started");
        }
    }

    /// <summary>A client that gives up ends nothing: an engine goes on, and so there is no token.</summary>
    private Task WorkAsync(TimeSpan latency) => latency > TimeSpan.Zero ? Task.Delay(latency, time) : Task.CompletedTask;

    private static void Publish_NeedsLock(SimulatedContainer container)
    {
        foreach (var port in container.Ports)
        {
            try
            {
                container.Published.Add(PublishedPort.Open(new IPEndPoint(IPAddress.Parse(port.HostAddress), port.HostPort)));
            }
            catch (SocketException failure)
            {
                Close_NeedsLock(container);
                container.ExitCode = 128;
                var reason = failure.SocketErrorCode == SocketError.AddressNotAvailable
                    ? $"listen tcp4 {port.HostAddress}:{port.HostPort}: bind: cannot assign requested address"
                    : $"Bind for {port.HostAddress}:{port.HostPort} failed: port is already allocated";
                throw new EngineRefusalException(500, $"driver failed programming external connectivity on endpoint {container.Name} ({container.Id}): {reason}");
            }
        }
    }

    /// <returns>False: it did not run.</returns>
    private bool End(string idOrName, int exitCode)
    {
        SimulatedContainer container;
        lock (_lock)
        {
            container = Find_NeedsLock(idOrName);
            if (!End_NeedsLock(container, exitCode))
            {
                return false;
            }
        }

        Tell("die", container, exitCode);
        return true;
    }

    private bool End_NeedsLock(SimulatedContainer container, int exitCode)
    {
        if (!container.Running)
        {
            return false;
        }

        Close_NeedsLock(container);
        container.State = "exited";
        container.ExitCode = exitCode;
        container.FinishedAt = time.GetUtcNow();
        return true;
    }

    private void Tell(string action, SimulatedContainer container, int? exitCode = null) =>
        Events.Tell(new ContainerEvent(action, container, exitCode, time.GetUtcNow()));
}
