using System.Net;
using System.Net.Sockets;

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

        var bytes = (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).GetAddressBytes();
        return address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false } ? bytes[..8] : bytes;
    }
}
