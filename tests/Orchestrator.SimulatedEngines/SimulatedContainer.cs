namespace Orchestrator.SimulatedEngines;

/// <summary>One container. Changed under its engine's lock only.</summary>
internal sealed class SimulatedContainer(string id, string name, ContainerRequest request, DateTimeOffset created)
{
    public string Id { get; } = id;

    public string Name { get; } = name;

    public string Image { get; } = request.Image;

    public IReadOnlyDictionary<string, string> Labels { get; } = request.Labels;

    public IReadOnlyList<PortRequest> Ports { get; } = request.Ports;

    public IReadOnlyList<string> Volumes { get; } = request.Volumes;

    public DateTimeOffset Created { get; } = created;

    public string RestartPolicy { get; set; } = request.RestartPolicy;

    public string State { get; set; } = "created";

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? FinishedAt { get; set; }

    public int ExitCode { get; set; }

    /// <summary>Open while it runs.</summary>
    public List<PublishedPort> Published { get; } = [];

    public bool Running => State == "running";

    /// <summary>A start that is under way: a second one is answered as if it were done.</summary>
    public bool Starting { get; set; }
}

/// <summary>What of a create request the simulation keeps.</summary>
internal sealed record ContainerRequest(
    string Image,
    IReadOnlyDictionary<string, string> Labels,
    IReadOnlyList<PortRequest> Ports,
    IReadOnlyList<string> Volumes,
    string RestartPolicy);

internal sealed record PortRequest(string HostAddress, int HostPort);
