namespace Orchestrator.SimulatedEngines;

/// <summary>What a farm of simulated engines is like.</summary>
/// <param name="Folder">Where the sockets are made, <c>engine-1.sock</c> and on; a unix socket's path has at most 107 bytes.</param>
/// <param name="Engines">How many, at least 1.</param>
/// <param name="Images">References that a pull finds, with registry and tag. No engine has one before it was pulled.</param>
public sealed record SimulationOptions(string Folder, int Engines, IReadOnlyList<string> Images)
{
    public EngineLatencies Latencies { get; init; } = EngineLatencies.Measured;

    public string SocketOf(int engine) => Path.Combine(Folder, $"engine-{engine}.sock");
}

/// <summary>How long an engine works on a call. Calls without one here take a real engine less than a socket's own time.</summary>
public sealed record EngineLatencies(TimeSpan Create, TimeSpan Start, TimeSpan Stop, TimeSpan Remove, TimeSpan Update, TimeSpan Exec)
{
    /// <summary>Constants within the ranges that a real 20.10 engine was measured at, start with a published port (docs/design/simulated-engines.md).</summary>
    public static EngineLatencies Measured { get; } = new(
        Create: TimeSpan.FromMilliseconds(8),
        Start: TimeSpan.FromMilliseconds(220),
        Stop: TimeSpan.FromMilliseconds(107),
        Remove: TimeSpan.FromMilliseconds(120),
        Update: TimeSpan.FromMilliseconds(20),
        Exec: TimeSpan.FromMilliseconds(48));

    /// <param name="factor">0: no waiting at all; 1: as they are.</param>
    public EngineLatencies Scaled(double factor) =>
        new(Create * factor, Start * factor, Stop * factor, Remove * factor, Update * factor, Exec * factor);
}
