using System.Net;
using System.Net.Sockets;
using Orchestrator.Proxy.Clients;

namespace Orchestrator.Proxy.Policies;

/// <summary>
/// A client as far as its address tells: the address, of an IPv6 one its first half, since a customer gets at least as many addresses
/// as the second half has (RFC 6177) and would be as many clients.
/// </summary>
internal static class ClientKey
{
    public static byte[] Of(IPAddress? address)
    {
        if (address is null)
        {
            return [];
        }

        var plain = address.Unmapped();
        var bytes = plain.GetAddressBytes();
        return plain.AddressFamily == AddressFamily.InterNetworkV6 ? bytes[..8] : bytes;
    }
}
