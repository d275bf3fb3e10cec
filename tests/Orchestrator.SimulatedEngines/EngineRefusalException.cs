namespace Orchestrator.SimulatedEngines;

/// <summary>A call fails as a real engine fails it: an HTTP status and the engine's words.</summary>
public sealed class EngineRefusalException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    internal static EngineRefusalException NoSuchContainer(string idOrName) => new(404, $"No such container: {idOrName}");
}
