using System.Net;

namespace Orchestrator.Cli.Serving;

/// <summary>The value of an option for an address to listen on: a type of its own, since the parser takes no null from one that has a default.</summary>
/// <param name="Endpoint">Null means none: not to listen.</param>
internal readonly record struct ListenAddress(IPEndPoint? Endpoint)
{
    public override string ToString() => Endpoint?.ToString() ?? Endpoints.None;
}
