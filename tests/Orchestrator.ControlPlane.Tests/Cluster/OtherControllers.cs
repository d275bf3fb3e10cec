using k8s;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>A second set of controllers: what two leaders for a moment would do.</summary>
internal sealed class OtherControllers : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly EventRecorder _events;
    private readonly Controllers _controllers;
    private readonly Task _running;

    public OtherControllers(Kubernetes kubernetes)
    {
        var loggers = new TestOutputLoggers(TestContext.Current.TestOutputHelper!);
        var informers = new SharedInformers(kubernetes, Controllers.FieldManager, loggers, TimeProvider.System);
        _events = new EventRecorder(kubernetes, Controllers.FieldManager, loggers, TimeProvider.System);
        _controllers = new Controllers(informers, kubernetes, _events, new TestUsage(), loggers, TimeProvider.System);
        _running = Task.WhenAll(informers.RunAsync(_stop.Token), _controllers.RunAsync(_stop.Token));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _controllers.Dispose();
        await _events.DisposeAsync();
        _stop.Dispose();
    }
}
