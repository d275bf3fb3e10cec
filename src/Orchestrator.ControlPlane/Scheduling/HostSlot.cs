using System.Runtime.InteropServices;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// A host with what is bound to it: one round's own working copy, filled whole from the cache and then, placement by placement,
/// by the round itself.
/// </summary>
internal sealed class HostSlot(HostSnapshot host)
{
    /// <summary>What a replica without requests counts for when hosts are compared; kube-scheduler's defaults.</summary>
    private const decimal AssumedCpu = 0.1m;
    private const decimal AssumedMemory = 200 * 1024 * 1024;

    private readonly Dictionary<string, int> _replicasOfApp = new(StringComparer.Ordinal);
    private readonly Dictionary<(string App, string Revision), int> _replicasOfRevision = [];
    private readonly HashSet<int> _takenPorts = [];
    private decimal _comparedCpu;
    private decimal _comparedMemory;

    public HostSnapshot Host { get; } = host;

    /// <summary>Cores that bound replicas have requested.</summary>
    public decimal Cpu { get; private set; }

    /// <summary>Bytes that bound replicas have requested.</summary>
    public decimal Memory { get; private set; }

    /// <summary>From 0, empty, to 1, full, counting replicas without requests too. Kept, not computed: it is asked for often.</summary>
    public double Load { get; private set; }

    public bool HasFreePort => _takenPorts.Count < Host.LastPort - Host.FirstPort + 1;

    /// <summary>Replicas of the app that are here to stay.</summary>
    public int ReplicasOf(string app) => _replicasOfApp.GetValueOrDefault(app);

    /// <inheritdoc cref="ReplicasOf(string)"/>
    public int ReplicasOf(string app, string revision) => _replicasOfRevision.GetValueOrDefault((app, revision));

    /// <param name="leaving">It is being deleted: it holds its port and resources until it is gone, but no longer its place among the app's.</param>
    public void Add(string app, string revision, Needs needs, bool leaving)
    {
        Cpu += needs.Cpu;
        Memory += needs.Memory;
        _comparedCpu += needs.Cpu == 0 ? AssumedCpu : needs.Cpu;
        _comparedMemory += needs.Memory == 0 ? AssumedMemory : needs.Memory;
        Load = (Share(_comparedCpu, Host.Cpu) + Share(_comparedMemory, Host.Memory)) / 2;
        if (!leaving)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_replicasOfApp, app, out _)++;
            CollectionsMarshal.GetValueRefOrAddDefault(_replicasOfRevision, (app, revision), out _)++;
        }
    }

    public void TakePort(int port)
    {
        // A port outside the range (the range was changed since) cannot be given anyway, and must not count against it.
        if (port >= Host.FirstPort && port <= Host.LastPort)
        {
            _takenPorts.Add(port);
        }
    }

    /// <summary>
    /// The lowest free port from a start that moves on with each port given: a port that has just been freed is not given again at
    /// once, so that a request meant for the replica that had it does not reach another app.
    /// </summary>
    public int GivePort(int start)
    {
        var size = Host.LastPort - Host.FirstPort + 1;
        for (var i = 0; i < size; i++)
        {
            var port = Host.FirstPort + ((Math.Clamp(start, Host.FirstPort, Host.LastPort) - Host.FirstPort + i) % size);
            if (_takenPorts.Add(port))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"host {Host.Name} has no free port");
    }

    /// <summary>Where to start when nothing has been given yet since this process started: above all that is taken.</summary>
    public int FirstStart => _takenPorts.Count == 0 ? Host.FirstPort : _takenPorts.Max() + 1 <= Host.LastPort ? _takenPorts.Max() + 1 : Host.FirstPort;

    private static double Share(decimal used, decimal? capacity) => capacity is > 0 ? Math.Min(1, (double)(used / capacity.Value)) : 0;
}
