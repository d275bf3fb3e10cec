using k8s.Models;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Probing;
using Orchestrator.Runtime.Events;

namespace Orchestrator.HostAgent.Hooks;

/// <summary>
/// Carries out what a template wants done after each start of its container and before each stop: Kubernetes' lifecycle hooks. Each is
/// done at least once; whoever was cut short in the midst of one does it again.
/// </summary>
internal sealed class LifecycleHooks(HttpProber http, IEventRecorder events, TimeProvider time)
{
    /// <summary>What the stop gets however long the hook took; Kubernetes' minimum.</summary>
    private static readonly TimeSpan LeastGrace = TimeSpan.FromSeconds(2);

    /// <summary>How long a container that has just started is given to answer. Kubernetes asks once, before most servers listen.</summary>
    private static readonly TimeSpan FirstAnswer = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>Does what is to be done after the start, for as long as it takes.</summary>
    /// <returns>Null when it went well; otherwise why not, which is told by an Event.</returns>
    /// <exception cref="EngineException">The way to the engine is lost: it may or may not have been done.</exception>
    public async Task<string?> PostStartAsync(
        IEngine engine, Replica replica, DockerHost host, string containerId, CancellationToken cancellationToken)
    {
        var why = await RunAsync(replica.Spec.Template.Lifecycle!.PostStart, engine, replica, host, containerId, limit: null, cancellationToken);
        if (why is not null)
        {
            events.Record(replica, EventTypes.Warning, "FailedPostStartHook", $"postStart hook failed: {why}");
        }

        return why;
    }

    /// <summary>Does what is to be done before the stop signal, if anything, within the grace period; a failure is told by an Event.</summary>
    /// <returns>What is left of the grace period.</returns>
    public async Task<TimeSpan> PreStopAsync(
        IEngine engine, Replica replica, DockerHost host, string containerId, CancellationToken cancellationToken)
    {
        var grace = replica.Spec.Template.TerminationGracePeriod;
        if (!HasPreStop(replica))
        {
            return grace;
        }

        var started = time.GetTimestamp();
        string? why;
        try
        {
            why = await RunAsync(replica.Spec.Template.Lifecycle!.PreStop, engine, replica, host, containerId, grace, cancellationToken);
        }
        catch (EngineException failure)
        {
            // Whether the engine is there for the stop is the stop's to find out.
            why = failure.Message;
        }

        if (why is not null)
        {
            events.Record(replica, EventTypes.Warning, "FailedPreStopHook", $"preStop hook failed: {why}");
        }

        var left = grace - time.GetElapsedTime(started);
        return left > LeastGrace ? left : LeastGrace;
    }

    /// <summary>As in Kubernetes, no grace period is no time for a hook.</summary>
    public static bool HasPreStop(Replica replica) =>
        replica.Spec.Template is { Lifecycle.PreStop: not null } template && template.TerminationGracePeriod > TimeSpan.Zero;

    private async Task<string?> RunAsync(
        V1LifecycleHandler hook, IEngine engine, Replica replica, DockerHost host, string containerId, TimeSpan? limit, CancellationToken cancellationToken)
    {
        switch (hook)
        {
            case { Exec.Command: { Count: > 0 } command }:
                return await ExecAsync(engine, containerId, command, limit, cancellationToken);
            case { HttpGet: { } get }:
                return ProbeSettings.HandlerOf(get, replica.Spec.Template) switch
                {
                    ProbeHandler.Http ask when limit is { } within => await GetOnceAsync(ask, replica, host, within, cancellationToken),
                    ProbeHandler.Http ask => await GetOnceAnsweredAsync(ask, replica, host, cancellationToken),
                    ProbeHandler.Impossible impossible => impossible.Reason,
                    var other => throw new InvalidOperationException($"no such hook: {other}"),
                };
            case { Sleep: { } sleep }:
                var wanted = TimeSpan.FromSeconds(sleep.Seconds);
                await Task.Delay(limit < wanted ? limit.Value : wanted, time, cancellationToken);
                return null;
            default:
                // The API server takes no other; what it once took without a handler asks for nothing.
                return null;
        }
    }

    private static async Task<string?> ExecAsync(
        IEngine engine, string containerId, IList<string> command, TimeSpan? limit, CancellationToken cancellationToken)
    {
        try
        {
            return await engine.ExecAsync(containerId, command, limit ?? TimeSpan.MaxValue, cancellationToken) switch
            {
                0 => null,
                null => $"{command[0]} did not end within {limit?.TotalSeconds} s",
                var exitCode => $"{command[0]} ended with exit code {exitCode}",
            };
        }
        catch (EngineException failure) when (!failure.IsTransport && failure.Failure != EngineFailure.NotFound)
        {
            return failure.Message;
        }
    }

    private async Task<string?> GetOnceAsync(
        ProbeHandler.Http ask, Replica replica, DockerHost host, TimeSpan limit, CancellationToken cancellationToken)
    {
        var (status, failure) = await http.GetAsync(ask, host.Spec.EffectiveAddress, replica.Spec.HostPort!.Value, limit, cancellationToken);
        return failure is { } none ? none.Message : Refusal(ask, status!.Value);
    }

    /// <summary>Asks until it answers, whatever: an answer is what the hook is for, and one is enough.</summary>
    private async Task<string?> GetOnceAnsweredAsync(ProbeHandler.Http ask, Replica replica, DockerHost host, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var left = FirstAnswer;
        while (true)
        {
            var (status, failure) = await http.GetAsync(ask, host.Spec.EffectiveAddress, replica.Spec.HostPort!.Value, left, cancellationToken);
            if (status is not null)
            {
                return Refusal(ask, status.Value);
            }

            // A pause may last longer than it was meant to: what is left is looked at after it.
            await Task.Delay(AskAgain, time, cancellationToken);
            left = FirstAnswer - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                return failure!.Value.Message;
            }
        }
    }

    private static string? Refusal(ProbeHandler.Http ask, int status) =>
        HttpProber.IsWell(status) ? null : $"GET {ask.Path} was answered with statuscode: {status}";
}
