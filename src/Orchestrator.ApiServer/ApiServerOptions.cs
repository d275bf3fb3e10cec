using System.Net;

namespace Orchestrator.ApiServer;

public sealed record ApiServerOptions
{
    /// <summary>Where the store and the keys are; made, for the owner's eyes only, if it is not there.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Address to listen on. Default: loopback.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Port to listen on; 0 takes any that is free. Default: 6443, Kubernetes' own.</summary>
    public int Port { get; init; } = 6443;
}
