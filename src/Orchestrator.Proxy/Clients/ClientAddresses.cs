using System.Net;

namespace Orchestrator.Proxy.Clients;

internal static class ClientAddresses
{
    /// <summary>An IPv4 client of a listener for both families is an IPv4 client.</summary>
    public static IPAddress Unmapped(this IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
