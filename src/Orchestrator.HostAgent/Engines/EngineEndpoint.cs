using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.HostAgent.Engines;

/// <summary>Where an engine listens: a unix socket's path, or a host and port.</summary>
/// <param name="SocketPath">Null for tcp.</param>
/// <param name="Host">Name or address, without brackets; empty for a unix socket.</param>
internal sealed record EngineEndpoint(string? SocketPath, string Host, int Port)
{
    /// <exception cref="EngineException">It is neither <c>unix:///path</c> nor <c>tcp://host:port</c>.</exception>
    public static EngineEndpoint Parse(string endpoint)
    {
        if (Uri.TryCreate(endpoint, UriKind.Absolute, out var uri))
        {
            switch (uri.Scheme)
            {
                case "unix" when uri.AbsolutePath.Length > 1:
                    return new EngineEndpoint(Uri.UnescapeDataString(uri.AbsolutePath), "", 0);
                case "tcp" when uri is { Host.Length: > 0, Port: > 0 }:
                    return new EngineEndpoint(null, uri.Host.Trim('[', ']'), uri.Port);
            }
        }

        throw new EngineException(
            EngineFailure.Incompatible, $"spec.endpoint is {endpoint}; it must be unix:///path/to/socket or tcp://host:port");
    }

    public EndPoint ToEndPoint() =>
        SocketPath is not null ? new UnixDomainSocketEndPoint(SocketPath)
        : IPAddress.TryParse(Host, out var address) ? new IPEndPoint(address, Port)
        : new DnsEndPoint(Host, Port);

    public override string ToString() =>
        SocketPath ?? (Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host) + ":" + Port.ToString(CultureInfo.InvariantCulture);
}
