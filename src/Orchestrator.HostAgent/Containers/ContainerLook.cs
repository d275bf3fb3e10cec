using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hosts;

namespace Orchestrator.HostAgent.Containers;

/// <summary>What the engine says of a replica's container.</summary>
/// <param name="Seen">Null when there is none.</param>
/// <param name="LastWords">The last line that a run has written which has ended since the look before; null when none has, or wrote nothing.</param>
internal sealed record ContainerLook(ContainerSnapshot? Seen, string? LastWords)
{
    /// <summary>A new one is not asked for: the look at the whole engine would have found it, and its create would.</summary>
    public static async Task<ContainerLook> AskAsync(ReplicaRecord record, Replica replica, EngineSession session)
    {
        var history = record.History;
        var seen = await InspectAsync(session, record.Container?.Id)
            ?? await InspectAsync(session, record.ListedId)
            ?? (record.MayExist ? await InspectAsync(session, ContainerBody.NameOf(replica)) : null);
        if (seen?.ReplicaUid != record.Uid)
        {
            return new(null, null);
        }

        var mayHaveEnded = seen.HasEnded || seen.StartedAt != history.Run;
        return new(seen, mayHaveEnded && seen.FinishedAt is { } end && end != history.Ended ? await LastWordsAsync(session, seen.Id, end) : null);
    }

    private static async Task<ContainerSnapshot?> InspectAsync(EngineSession session, string? idOrName) =>
        idOrName is null ? null : await session.Engine.InspectAsync(idOrName, session.Ended);

    private static async Task<string?> LastWordsAsync(EngineSession session, string id, DateTimeOffset end)
    {
        try
        {
            return await session.Engine.LastLogLineAsync(id, end, session.Ended);
        }
        catch (EngineException refused) when (!refused.IsTransport)
        {
            // A log driver that cannot be read, say: the end itself is what matters.
            return null;
        }
    }
}
