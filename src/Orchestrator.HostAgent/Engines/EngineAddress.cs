using System.Net;
using System.Net.Sockets;
using Orchestrator.HostAgent.Engines.Ssh;

namespace Orchestrator.HostAgent.Engines;

/// <summary>Where the machine of an engine is: containers publish on an address, and an endpoint may have a name.</summary>
public static class EngineAddress
{
    /// <returns>The name or address that the endpoint is dialled at, which for ssh its configuration may say; null for a unix socket.</returns>
    /// <exception cref="EngineException">It is no endpoint.</exception>
    public static async Task<string?> HostAsync(string endpoint, CancellationToken cancellationToken) => EngineEndpoint.Parse(endpoint) switch
    {
        { Transport: EngineTransport.Unix } => null,
        { Transport: EngineTransport.Ssh } ssh => await SshHostName.OfAsync(ssh, SshConnections.DefaultProgram, cancellationToken),
        var tcp => tcp.Host,
    };

    /// <returns>Null where nobody here knows: behind a machine that ssh goes through a name may mean something only there.</returns>
    internal static async Task<IPAddress?> OfAsync(EngineEndpoint endpoint, string sshProgram, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(endpoint.Host, out var address))
        {
            return address;
        }

        var host = await SshHostName.OfAsync(endpoint, sshProgram, cancellationToken);
        try
        {
            return IPAddress.TryParse(host, out address) ? address : (await Dns.GetHostAddressesAsync(host, cancellationToken)).FirstOrDefault();
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
