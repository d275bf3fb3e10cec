using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Hosts;

namespace Orchestrator.HostAgent.Containers;

/// <summary>What the reconciler of a host's Replicas needs to know of the host.</summary>
internal interface IHostView
{
    DockerHost Host { get; }

    /// <summary>Null while the engine cannot be reached, or has not been looked over yet.</summary>
    EngineSession? Session { get; }

    /// <summary>Why there is no session, for people; null if there is one.</summary>
    string? Problem { get; }

    /// <summary>Neither its engine nor any replica on it answers.</summary>
    bool IsSilent { get; }

    /// <summary>Asks for a look at the whole engine: something may be there that nobody claims.</summary>
    void RequestLook();
}
