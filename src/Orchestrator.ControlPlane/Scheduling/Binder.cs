using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>Writes the scheduler's decisions: a binding, or the reason why there is none.</summary>
internal sealed class Binder(Informer<Replica> replicas, ResourceClient<Replica> client, TimeProvider time)
{
    public const string FailedScheduling = "FailedScheduling";
    public const string Unschedulable = "Unschedulable";

    /// <summary>Host, port, label and finalizer in one locked write: there is no moment at which only some of them hold.</summary>
    /// <exception cref="ConflictException">The Replica has changed since the decision.</exception>
    public async Task BindAsync(Placed placed, CancellationToken cancellationToken)
    {
        var replica = placed.Replica;
        var patch = new
        {
            metadata = new
            {
                resourceVersion = replica.Metadata.ResourceVersion,
                labels = new Dictionary<string, string> { [Labels.Host] = placed.Host },
                finalizers = (replica.Metadata.Finalizers ?? []).Append(Finalizers.Container).Distinct(),
            },
            spec = new { hostName = placed.Host, hostPort = placed.Port },
        };
        replicas.Seed(await client.MergePatchAsync(ObjectKey.Of(replica), patch, cancellationToken));
    }

    /// <summary>The same for a Replica that is about to be created.</summary>
    public static void Bind(Replica wanted, Placed placed)
    {
        (wanted.Spec.HostName, wanted.Spec.HostPort) = (placed.Host, placed.Port);
        wanted.Metadata.Labels[Labels.Host] = placed.Host;
        wanted.Metadata.Finalizers = [Finalizers.Container];
    }

    /// <inheritdoc cref="BindAsync" path="/exception"/>
    public async Task ExplainAsync(Unfit unfit, CancellationToken cancellationToken)
    {
        var replica = unfit.Replica;
        var scheduled = Conditions.Next(
            replica.Status?.Conditions, ConditionTypes.Scheduled, false, Unschedulable, unfit.Message, replica.Metadata.Generation, time.GetUtcNow());
        var patch = new
        {
            metadata = new { resourceVersion = replica.Metadata.ResourceVersion },
            status = new
            {
                phase = ReplicaPhases.Pending,
                reason = Unschedulable,
                message = unfit.Message,
                conditions = (replica.Status?.Conditions ?? []).Where(condition => condition.Type != ConditionTypes.Scheduled).Append(scheduled),
            },
        };
        replicas.Seed(await client.MergePatchStatusAsync(ObjectKey.Of(replica), patch, cancellationToken));
    }

    /// <summary>Whether the Replica's status says so already.</summary>
    public static bool IsTold(Unfit unfit) => unfit.Replica.Status is { Reason: Unschedulable } status && status.Message == unfit.Message;
}
