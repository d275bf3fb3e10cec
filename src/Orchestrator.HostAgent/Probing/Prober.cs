using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Probing;

/// <summary>Where a replica is probed: the way that proxies take to it.</summary>
internal readonly record struct ProbeTarget(string Address, int Port, string ContainerId);

/// <summary>Makes the probes of one host's replicas. They share the process's scheduler, HTTP client, and turns to look.</summary>
internal sealed partial class Prober(ProbeScheduler scheduler, Turns looks, HttpProber http, Func<IEngine?> engine, ILogger logger, TimeProvider time)
{
    /// <param name="ready">An earlier agent found this very run ready, at this very address.</param>
    /// <param name="started">This very run is known to have started.</param>
    public ReplicaProbes Start(
        ReplicaTemplate template,
        string replicaUid,
        Containers.ContainerSnapshot run,
        ProbeTarget target,
        bool ready,
        bool started,
        TimeSpan ranFor,
        Action onVerdict)
    {
        ContainerProbe? Make(ProbeKind kind, Action tell) => ProbeSettings.Of(template, kind) is not { } settings ? null : new ContainerProbe(
            settings,
            replicaUid,
            token => LookAsync(settings, target, token),
            passed: kind switch { ProbeKind.Readiness => ready, ProbeKind.Startup => started, _ => false },
            scheduler,
            tell,
            failure => TakeFault(failure, kind, target.ContainerId),
            time);
        return new ReplicaProbes(run, target, Make, ranFor, onVerdict, time);
    }

    private void TakeFault(Exception failure, ProbeKind kind, string containerId)
    {
        ProbeMetrics.Faults.Inc();
        Log.Failed(logger, failure, kind, containerId);
    }

    private async Task<ProbeOutcome> LookAsync(ProbeSettings settings, ProbeTarget target, CancellationToken cancellationToken)
    {
        // The probe's timeout begins with its turn. What runs in the container takes no connection of ours but its engine's.
        using var turn = settings.Handler is ProbeHandler.Exec ? null : await looks.EnterAsync(cancellationToken);
        return await AskAsync(settings, target, cancellationToken);
    }

    private Task<ProbeOutcome> AskAsync(ProbeSettings settings, ProbeTarget target, CancellationToken cancellationToken) => settings.Handler switch
    {
        ProbeHandler.Http handler => http.ProbeAsync(handler, target.Address, target.Port, settings.Timeout, cancellationToken),
        ProbeHandler.Tcp => TcpProber.ProbeAsync(target.Address, target.Port, settings.Timeout, scheduler, cancellationToken),
        ProbeHandler.Grpc handler => GrpcProber.ProbeAsync(handler, target.Address, target.Port, settings.Timeout, scheduler, cancellationToken),
        ProbeHandler.Exec handler => ExecAsync(handler, target.ContainerId, settings.Timeout, cancellationToken),
        ProbeHandler.Impossible handler => Task.FromResult(ProbeOutcome.Failed(handler.Reason)),
        _ => throw new InvalidOperationException($"no such probe: {settings.Handler}"),
    };

    private async Task<ProbeOutcome> ExecAsync(
        ProbeHandler.Exec probe, string containerId, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (engine() is not { } reachable)
        {
            return ProbeOutcome.Unknown("the engine is not reachable");
        }

        try
        {
            return await reachable.ExecAsync(containerId, probe.Command, timeout, cancellationToken) switch
            {
                0 => ProbeOutcome.Passed,
                null => ProbeOutcome.Late($"{probe.Command[0]} did not end within {timeout.TotalSeconds} s"),
                var exitCode => ProbeOutcome.Failed($"{probe.Command[0]} ended with exit code {exitCode}"),
            };
        }
        catch (EngineException failure)
        {
            return failure.IsTransport ? ProbeOutcome.Unknown(failure.Message) : ProbeOutcome.Failed(failure.Message);
        }
        catch (ObjectDisposedException)
        {
            return ProbeOutcome.Unknown("the connection to the engine was closed");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "The {Kind} probe of container {ContainerId} broke off; it goes on at its next turn")]
        public static partial void Failed(ILogger logger, Exception failure, ProbeKind kind, string containerId);
    }
}
