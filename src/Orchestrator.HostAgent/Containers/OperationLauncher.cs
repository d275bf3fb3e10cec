using Microsoft.Extensions.Logging;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hosts;
using Orchestrator.HostAgent.Status;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Events;

namespace Orchestrator.HostAgent.Containers;

/// <summary>Starts the planner's steps beside the reconciles, and turns whatever comes of one into an <see cref="Outcome"/>.</summary>
/// <param name="onEnded">Told the key of the Replica whose operation has ended.</param>
internal sealed partial class OperationLauncher(
    ContainerWork work, Action<ObjectKey> onEnded, IEventRecorder events, ILogger logger)
{
    /// <summary>To be called by the reconcile of the record's key, when no operation is under way for it.</summary>
    public void Launch(ContainerStep step, ReplicaRecord record, Replica replica, DockerHost dockerHost, EngineSession session)
    {
        var operation = new Operation(step, session.Ended);
        record.Operation = operation;
        var container = record.Container;
        record.MayExist |= step == ContainerStep.Create;
        if (step == ContainerStep.Restart)
        {
            record.Kill = record.RestartCause;
        }

        var task = step switch
        {
            ContainerStep.Create => work.CreateAsync(session.Engine, replica, dockerHost, operation),
            ContainerStep.Start => work.StartAsync(session.Engine, replica, container!.Id, operation),
            ContainerStep.PostStart => work.PostStartAsync(session.Engine, replica, dockerHost, container!.Id, operation),
            ContainerStep.Restart => work.RestartAsync(
                session.Engine, replica, dockerHost, container!.Id, record.Kill!.Value.Message, startAgain: !record.History.IsCrashLoop, operation),
            ContainerStep.LetEngineRestart => ContainerWork.SetRestartPolicyAsync(session.Engine, container!, always: true, operation.Cancelled),
            ContainerStep.KeepEngineFromRestarting => ContainerWork.SetRestartPolicyAsync(session.Engine, container!, always: false, operation.Cancelled),
            ContainerStep.Discard => work.StopAndRemoveAsync(session.Engine, container!, TimeSpan.Zero, operation.Cancelled),
            ContainerStep.StopAndRemove => StopForGoodAsync(session.Engine, replica, dockerHost, container!, operation),
            _ => throw new InvalidOperationException($"{step} is not an operation"),
        };
        operation.Completion = FinishAsync(task, operation, record);
    }

    private Task<Outcome> StopForGoodAsync(IEngine engine, Replica replica, DockerHost dockerHost, ContainerSnapshot container, Operation operation)
    {
        events.Record(replica, EventTypes.Normal, "Killing", $"Stopping container {container.Id[..Math.Min(12, container.Id.Length)]}");
        return work.StopForGoodAsync(engine, replica, dockerHost, container, operation);
    }

    private async Task FinishAsync(Task<Outcome> task, Operation operation, ReplicaRecord record)
    {
        Outcome outcome;
        try
        {
            outcome = await task;
        }
        catch (OperationCanceledException)
        {
            outcome = new Outcome();
        }
        catch (EngineException failure) when (failure.Failure == EngineFailure.NotFound)
        {
            // It went away under our hands: look, and decide anew.
            outcome = new Outcome();
        }
        catch (EngineException failure)
        {
            Log.OperationFailed(logger, failure, operation.Step, record.Key.ToString());
            outcome = Outcome.Failed(
                operation.Step is ContainerStep.StopAndRemove or ContainerStep.Discard ? ReplicaReasons.RemoveContainerError
                    : failure.IsTransport || operation.Step is ContainerStep.LetEngineRestart or ContainerStep.KeepEngineFromRestarting

                        // A policy cannot be changed while the container is ending: that passes.
                        ? ReplicaReasons.EngineUnavailable
                    : ReplicaReasons.RunContainerError,
                failure.Message);
        }
        catch (Exception failure)
        {
            Log.OperationFailed(logger, failure, operation.Step, record.Key.ToString());
            outcome = Outcome.Failed(
                operation.Step is ContainerStep.StopAndRemove or ContainerStep.Discard ? ReplicaReasons.RemoveContainerError : ReplicaReasons.RunContainerError,
                $"internal error: {failure.Message}");
        }

        operation.End(outcome);
        onEnded(record.Key);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{Step} failed for Replica {Key}")]
        public static partial void OperationFailed(ILogger logger, Exception failure, ContainerStep step, string key);
    }
}
