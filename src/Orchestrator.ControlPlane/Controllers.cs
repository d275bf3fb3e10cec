using k8s;
using Microsoft.Extensions.Logging;
using Orchestrator.ControlPlane.Acme;
using Orchestrator.ControlPlane.Autoscaling;
using Orchestrator.ControlPlane.Certificates;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.Rebalancing;
using Orchestrator.ControlPlane.Scheduling;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Usage;

namespace Orchestrator.ControlPlane;

/// <summary>
/// The WebApp controller, the certificate and the ACME controller, the scheduler, the DockerHost controller, the autoscaler and the rebalancer. Make it
/// before the informers run; run it while leading: it may be run again after a loss of leadership.
/// </summary>
public sealed class Controllers : IDisposable
{
    /// <summary>The field manager that writes of this part are made under.</summary>
    public const string FieldManager = "orchestrator-controller";

    private readonly SharedInformers _informers;
    private readonly WebAppController _webApps;
    private readonly CertificateController _certificates;
    private readonly AcmeController _acme;
    private readonly Scheduler _scheduler;
    private readonly HostController _hosts;
    private readonly AutoscalingController _autoscaler;
    private readonly Rebalancer? _rebalancer;

    /// <param name="usage">Asked for apps that are scaled by what their replicas use.</param>
    /// <param name="rebalance">Whether replicas that run are moved so that their apps lie evenly on the hosts.</param>
    /// <param name="acme">Where certificates are ordered; null: nowhere.</param>
    public Controllers(
        SharedInformers informers, IKubernetes kubernetes, IEventRecorder events, IUsageSource usage, ILoggerFactory loggers, TimeProvider time, bool rebalance = true, AcmeOptions? acme = null)
    {
        _informers = informers;
        var moves = new Moves(events, time);
        var certificates = new CertificateStates();
        var proxies = new LiveProxies(informers, time);
        _scheduler = new Scheduler(informers, moves, events, loggers, time);
        _webApps = new WebAppController(informers, proxies, moves, _scheduler, certificates, kubernetes, events, loggers, time);
        var orders = new CertificateStates();
        _certificates = new CertificateController(informers, kubernetes, orders, certificates, loggers, time);
        _acme = new AcmeController(informers, proxies, acme, orders, kubernetes, events, loggers, time);
        _hosts = new HostController(informers, events, loggers, time);
        _autoscaler = new AutoscalingController(informers, new ProxyTraffic(informers, proxies), usage, events, loggers, time);
        _rebalancer = rebalance ? new Rebalancer(informers, moves, loggers, time) : null;
    }

    /// <summary>Waits for the informers and works until cancelled; returns when all that was under way has ended.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _informers.WaitForSyncAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }

        try
        {
            await Task.WhenAll(
                _webApps.RunAsync(cancellationToken),
                _certificates.RunAsync(cancellationToken),
                _acme.RunAsync(cancellationToken),
                _scheduler.RunAsync(cancellationToken),
                _hosts.RunAsync(cancellationToken),
                _autoscaler.RunAsync(cancellationToken),
                _rebalancer?.RunAsync(cancellationToken) ?? Task.CompletedTask);
        }
        finally
        {
            // What this process last knew would else stand beside what the next leader says, for ever.
            WebAppMetrics.Clear();
            HostMetrics.Clear();
            SchedulingMetrics.Waiting.Unpublish();
        }
    }

    public void Dispose()
    {
        _webApps.Dispose();
        _certificates.Dispose();
        _acme.Dispose();
        _scheduler.Dispose();
        _hosts.Dispose();
        _autoscaler.Dispose();
        _rebalancer?.Dispose();
    }
}
