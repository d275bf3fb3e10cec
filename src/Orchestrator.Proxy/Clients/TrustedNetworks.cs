using System.Net;

namespace Orchestrator.Proxy.Clients;

/// <summary>Addresses of proxies in front of this one, whose word for who the client is counts. Immutable.</summary>
internal sealed class TrustedNetworks(IReadOnlyList<IPNetwork> networks)
{
    public bool IsEmpty => networks.Count == 0;

    /// <param name="address">IPv4 in IPv6 counts as IPv4; null (no TCP) is not trusted.</param>
    public bool Contains(IPAddress? address)
    {
        if (address is null)
        {
            return false;
        }

        address = address.Unmapped();
        foreach (var network in networks)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}
