namespace Orchestrator.Api.DockerHosts;

/// <summary>
/// Keys of the taints with effect NoExecute that a host is treated as having for as long as it is in that state. They are in no
/// spec: a toleration of one says how long its app waits, with no tolerationSeconds for ever.
/// </summary>
public static class HostTaints
{
    /// <summary>Neither the engine nor any replica on the host answers.</summary>
    public const string Unreachable = ApiGroup.Name + "/unreachable";

    /// <summary>The engine does not answer, replicas on the host do.</summary>
    public const string EngineDown = ApiGroup.Name + "/engine-down";
}
