namespace Orchestrator.Benchmarks.Proxying;

/// <summary>One kind of load: who comes, and what for.</summary>
/// <param name="Connections">Kept open and used one request after the other, unless each request takes a new one.</param>
/// <param name="Bytes">Of each answer's body.</param>
/// <param name="Rounds">Of each proxy, by turns.</param>
/// <param name="Tls">Of version 1.3, without a session of an earlier connection.</param>
internal sealed record Scenario(string Name, int Connections, int Bytes, int Rounds, bool NewConnections = false, bool Tls = false)
{
    /// <summary>The one that the RESULT line is about comes first.</summary>
    public static readonly IReadOnlyList<Scenario> All =
    [
        new("64 connections, 1 KB", 64, 1024, 5),
        new("256 connections, 1 KB", 256, 1024, 3),
        new("64 connections, 100 KB", 64, 100 * 1024, 3),
        new("64 at a time, each new, 1 KB", 64, 1024, 3, NewConnections: true),
        new("64 connections, 1 KB, TLS", 64, 1024, 3, Tls: true),
        new("64 at a time, new, 1 KB, TLS", 64, 1024, 3, NewConnections: true, Tls: true),
    ];

    public string Path => $"/{Bytes}.bin";
}
