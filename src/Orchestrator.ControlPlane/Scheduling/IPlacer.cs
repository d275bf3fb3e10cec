using Orchestrator.Api.Replicas;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Finds places for Replicas that are about to be created, so that they are bound from the first write on: a start takes one write
/// less than if each was created first and bound then.
/// </summary>
internal interface IPlacer
{
    /// <summary>Decides for all of them together, beside the Replicas that wait already. Keep it until the creates have ended.</summary>
    Task<Reservation> ReserveAsync(IReadOnlyList<Replica> wanted, CancellationToken cancellationToken);
}
