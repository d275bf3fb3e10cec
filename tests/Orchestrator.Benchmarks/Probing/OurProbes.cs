using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Probing;

namespace Orchestrator.Benchmarks.Probing;

/// <summary>The product's own probes of ready replicas, one each second.</summary>
internal sealed class OurProbes : IAsyncDisposable
{
    private readonly ProbeScheduler _scheduler = new(TimeProvider.System);
    private readonly HttpProber _http;
    private readonly List<ReplicaProbes> _probes = [];
    private readonly IReadOnlyList<int> _ports;
    private readonly ReplicaTemplate _template;

    public OurProbes(IReadOnlyList<int> ports, bool get)
    {
        _ports = ports;
        _http = new HttpProber(_scheduler);
        var probe = new V1Probe { PeriodSeconds = 1, TimeoutSeconds = 1 };
        if (get)
        {
            probe.HttpGet = new V1HTTPGetAction { Path = "/healthz" };
        }
        else
        {
            probe.TcpSocket = new V1TCPSocketAction();
        }

        _template = new ReplicaTemplate { Image = "web:v1", ReadinessProbe = probe };
    }

    /// <summary>Replicas whose probes fail.</summary>
    public int Unready => _probes.Count(probes => !probes.Readiness.Passing || probes.Readiness.Failures > 0);

    public void Start()
    {
        var prober = new Prober(_scheduler, new Turns(int.MaxValue), _http, () => null, NullLogger.Instance, TimeProvider.System);
        foreach (var port in _ports)
        {
            var uid = Guid.NewGuid().ToString();
            var run = new ContainerSnapshot(
                uid, uid, new Dictionary<string, string>(), uid, ContainerState.Running, RestartsAlways: true, TimeProvider.System.GetUtcNow(), null, 0, false, 0);
            _probes.Add(prober.Start(_template, uid, run, new ProbeTarget("127.0.0.1", port, uid), ready: true, started: true, TimeSpan.Zero, () => { }));
        }
    }

    public ValueTask DisposeAsync()
    {
        _probes.ForEach(probes => probes.Dispose());
        _http.Dispose();
        _scheduler.Dispose();
        return ValueTask.CompletedTask;
    }
}
