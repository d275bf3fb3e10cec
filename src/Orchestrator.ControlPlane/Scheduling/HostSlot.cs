using System.Runtime.InteropServices;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// A host with what is bound to it: one round's own working copy, filled whole from the cache and then, placement by placement,
/// by the round itself. Within a round it only fills up.
/// </summary>
/// <param name="index">Its place among the hosts of the round.</param>
internal sealed class HostSlot(HostSnapshot host, int index)
{
    /// <summary>What a replica without requests counts for when hosts are compared; kube-scheduler's defaults.</summary>
    private const long AssumedCpu = Units.PerCore / 10;
    private const long AssumedMemory = 200 * 1024 * 1024;

    private readonly Dictionary<int, int> _replicasOfApp = [];
    private readonly Dictionary<int, int> _replicasOfRevision = [];
    private readonly HashSet<int> _takenPorts = [];
    private int _promisedPorts;
    private long _comparedCpu;
    private long _comparedMemory;

    public HostSnapshot Host { get; } = host;

    public int Index { get; } = index;

    /// <summary>Not to be trusted yet, and others are.</summary>
    public bool IsHeldBack { get; set; }

    /// <summary>What bound replicas have requested, in <see cref="Units"/>.</summary>
    public long Cpu { get; private set; }

    /// <summary>Bytes that bound replicas have requested.</summary>
    public long Memory { get; private set; }

    /// <summary>From 0, empty, to 1, full, counting replicas without requests too. Kept, not computed: it is asked for often.</summary>
    public double Load { get; private set; }

    public bool HasFreePort => FreePorts > 0;

    /// <summary>Negative where more replicas have been promised one than there are.</summary>
    public int FreePorts => Host.LastPort - Host.FirstPort + 1 - _takenPorts.Count - _promisedPorts;

    /// <summary>Where to start looking for a port when none has been given since this process started: above all that are taken.</summary>
    public int FirstStart => _takenPorts.Count > 0 && _takenPorts.Max() < Host.LastPort ? _takenPorts.Max() + 1 : Host.FirstPort;

    /// <summary>Replicas of the app that are here to stay.</summary>
    public int ReplicasOfApp(int appId) => _replicasOfApp.GetValueOrDefault(appId);

    /// <summary>The same of one revision of it.</summary>
    public int ReplicasOfRevision(int revisionId) => _replicasOfRevision.GetValueOrDefault(revisionId);

    /// <param name="leaving">It is being deleted: it holds its resources until it is gone, but no longer its place among the app's.</param>
    public void Add(int appId, int revisionId, Needs needs, bool leaving)
    {
        Hold(needs, 1);
        if (!leaving)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_replicasOfApp, appId, out _)++;
            CollectionsMarshal.GetValueRefOrAddDefault(_replicasOfRevision, revisionId, out _)++;
        }
    }

    /// <summary>A replica on it no longer counts among its app's; it holds its room and its port for as long as it runs.</summary>
    public void Leave(int appId, int revisionId)
    {
        _replicasOfApp[appId]--;
        _replicasOfRevision[revisionId]--;
    }

    /// <summary>Thinks a replica away, its port aside, until <see cref="Add"/> brings it back.</summary>
    public void Remove(int appId, int revisionId, Needs needs)
    {
        Hold(needs, -1);
        Leave(appId, revisionId);
    }

    /// <summary>Whether a port counts: one outside the range (which was changed since) cannot be given anyway.</summary>
    public bool IsInRange(int port) => port >= Host.FirstPort && port <= Host.LastPort;

    public void TakePort(int port)
    {
        if (IsInRange(port))
        {
            _takenPorts.Add(port);
        }
    }

    /// <summary>Keeps a port, whichever, for a replica that comes later.</summary>
    public void PromisePort() => _promisedPorts++;

    /// <summary>
    /// The lowest free port from a start that moves on with each port given: a port that has just been freed is not given again at
    /// once, so that a request meant for the replica that had it does not reach another app.
    /// </summary>
    public int GivePort(int start)
    {
        var size = Host.LastPort - Host.FirstPort + 1;
        var first = Math.Clamp(start, Host.FirstPort, Host.LastPort) - Host.FirstPort;
        for (var i = 0; i < size; i++)
        {
            var port = Host.FirstPort + ((first + i) % size);
            if (_takenPorts.Add(port))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"host {Host.Name} has no free port");
    }

    private void Hold(Needs needs, int times)
    {
        Cpu += times * needs.Cpu;
        Memory += times * needs.Memory;
        _comparedCpu += times * (needs.Cpu == 0 ? AssumedCpu : needs.Cpu);
        _comparedMemory += times * (needs.Memory == 0 ? AssumedMemory : needs.Memory);
        Load = (Share(_comparedCpu, Host.Cpu) + Share(_comparedMemory, Host.Memory)) / 2;
    }

    private static double Share(long used, long? capacity) => capacity is > 0 ? Math.Min(1, (double)used / capacity.Value) : 0;
}
