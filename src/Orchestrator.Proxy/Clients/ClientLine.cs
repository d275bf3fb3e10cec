using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Clients;

/// <summary>
/// A client's connection as replicas are told of it in a PROXY protocol header. A connection to a replica has one such header and
/// serves this client alone, so it is part of the name that connections are kept by: the host of the URL that the client library is given.
/// </summary>
/// <param name="Version"><see cref="ProxyProtocolVersions"/>.</param>
/// <param name="Client">Null: not known, as for a connection of our own.</param>
/// <param name="Server">What the client connected to; of the same family.</param>
internal sealed record ClientLine(string Version, IPEndPoint? Client, IPEndPoint? Server)
{
    /// <summary>Never a name of a real host (RFC 2606).</summary>
    private const string Suffix = ".proxy-protocol.invalid";

    private const string Unknown = "unknown";

    public static ClientLine Of(string version, IPAddress? client, int clientPort, IPAddress? server, int serverPort)
    {
        if (client is null || server is null)
        {
            return new(version, null, null);
        }

        (client, server) = (client.Unmapped(), server.Unmapped());
        if (client.AddressFamily != server.AddressFamily)
        {
            (client, server) = (client.MapToIPv6(), server.MapToIPv6());
        }

        return new(version, new(client, clientPort), new(server, serverPort));
    }

    /// <summary>Null: the host is a real one.</summary>
    public static ClientLine? Parse(string host)
    {
        if (!host.EndsWith(Suffix, StringComparison.Ordinal))
        {
            return null;
        }

        return host[..^Suffix.Length].Split('.') switch
        {
            [Unknown, var version] => new(version, null, null),
            [var client, var server, var version] => new(version, EndPointOf(client), EndPointOf(server)),
            _ => throw new FormatException($"{host} names no client"),
        };
    }

    /// <summary>The host of a URL; the inverse of <see cref="Parse"/>.</summary>
    public string ToHost() =>
        Client is null || Server is null ? $"{Unknown}.{Version}{Suffix}" : $"{NameOf(Client)}.{NameOf(Server)}.{Version}{Suffix}";

    public byte[] ToHeader() => Version == ProxyProtocolVersions.V1 ? ToVersion1() : ToVersion2();

    private byte[] ToVersion1() => Encoding.ASCII.GetBytes(Client is null || Server is null
        ? "PROXY UNKNOWN\r\n"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"PROXY {(IsFour(Client) ? "TCP4" : "TCP6")} {Client.Address} {Server.Address} {Client.Port} {Server.Port}\r\n"));

    private byte[] ToVersion2()
    {
        // LOCAL, without addresses; or PROXY over TCP.
        byte[] signature = [.. "\r\n\r\n\0\r\nQUIT\n"u8];
        return Client is null || Server is null
            ? [.. signature, 0x20, 0x00, 0, 0]
            :
            [
                .. signature, 0x21, (byte)(IsFour(Client) ? 0x11 : 0x21), 0, (byte)(IsFour(Client) ? 12 : 36),
                .. Client.Address.GetAddressBytes(), .. Server.Address.GetAddressBytes(), .. BytesOf(Client.Port), .. BytesOf(Server.Port),
            ];
    }

    private static byte[] BytesOf(int port)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)port);
        return bytes;
    }

    private static bool IsFour(IPEndPoint endpoint) => endpoint.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;

    private static string NameOf(IPEndPoint endpoint) =>
        string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(endpoint.Address.GetAddressBytes())}-{endpoint.Port}");

    private static IPEndPoint EndPointOf(string name)
    {
        var parts = name.Split('-');
        return new(new IPAddress(Convert.FromHexString(parts[0])), int.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
