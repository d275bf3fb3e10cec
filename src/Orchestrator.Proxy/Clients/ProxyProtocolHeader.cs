using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Proxy.Clients;

/// <summary>How far a PROXY protocol header is.</summary>
internal enum ProxyProtocolRead
{
    /// <summary>It is one so far: more bytes are needed.</summary>
    Incomplete,

    /// <summary>It is none, or not of a TCP connection.</summary>
    Bad,

    /// <summary>All of it is there.</summary>
    Done,
}

/// <summary>
/// The header by which a load balancer that passes bytes on tells whose connection it is (PROXY protocol, versions 1 and 2, as
/// HAProxy's <c>proxy-protocol.txt</c> has it).
/// </summary>
internal static class ProxyProtocolHeader
{
    /// <summary>Bytes, the line's end included.</summary>
    private const int LongestVersion1 = 107;

    private const int Version2Start = 16;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <param name="bytes">What the connection has sent.</param>
    /// <param name="length">Bytes of the header, when it is done.</param>
    /// <param name="client">Null: the connection is the load balancer's own (a health check), or it does not know.</param>
    public static ProxyProtocolRead Read(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? client)
    {
        (length, client) = (0, null);
        return bytes switch
        {
            [] => ProxyProtocolRead.Incomplete,
            [(byte)'\r', ..] => ReadVersion2(bytes, out length, out client),
            [(byte)'P', ..] => ReadVersion1(bytes, out length, out client),
            _ => ProxyProtocolRead.Bad,
        };
    }

    private static ProxyProtocolRead ReadVersion1(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? client)
    {
        (length, client) = (0, null);
        var end = bytes[..Math.Min(bytes.Length, LongestVersion1)].IndexOf("\r\n"u8);
        if (end < 0)
        {
            var start = "PROXY "u8;
            var begun = bytes[..Math.Min(bytes.Length, start.Length)];
            return bytes.Length < LongestVersion1 && start.StartsWith(begun) ? ProxyProtocolRead.Incomplete : ProxyProtocolRead.Bad;
        }

        length = end + 2;
        var words = Encoding.Latin1.GetString(bytes[..end]).Split(' ');
        if (words is ["PROXY", "UNKNOWN", ..])
        {
            return ProxyProtocolRead.Done;
        }

        if (words is not ["PROXY", "TCP4" or "TCP6", var source, var destination, var sourcePort, var destinationPort]
            || AddressOf(source, words[1]) is not { } address || AddressOf(destination, words[1]) is null
            || PortOf(sourcePort) is not { } port || PortOf(destinationPort) is null)
        {
            return ProxyProtocolRead.Bad;
        }

        client = new IPEndPoint(address, port);
        return ProxyProtocolRead.Done;
    }

    private static ProxyProtocolRead ReadVersion2(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? client)
    {
        (length, client) = (0, null);
        if (!Signature.StartsWith(bytes[..Math.Min(bytes.Length, Signature.Length)]))
        {
            return ProxyProtocolRead.Bad;
        }

        if (bytes.Length < Version2Start)
        {
            return ProxyProtocolRead.Incomplete;
        }

        var (version, command) = (bytes[12] >> 4, bytes[12] & 0xF);
        if (version != 2 || command > 1)
        {
            return ProxyProtocolRead.Bad;
        }

        var rest = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        if (bytes.Length < Version2Start + rest)
        {
            return ProxyProtocolRead.Incomplete;
        }

        length = Version2Start + rest;
        const int Local = 0;
        if (command == Local)
        {
            return ProxyProtocolRead.Done;
        }

        // After the addresses there may be more (TLVs), which nothing here asks for.
        var addresses = bytes.Slice(Version2Start, rest);
        switch (bytes[13])
        {
            case 0x00:
                return ProxyProtocolRead.Done;
            case 0x11 when rest >= 12:
                client = new IPEndPoint(new IPAddress(addresses[..4]), BinaryPrimitives.ReadUInt16BigEndian(addresses[8..]));
                return ProxyProtocolRead.Done;
            case 0x21 when rest >= 36:
                client = new IPEndPoint(new IPAddress(addresses[..16]), BinaryPrimitives.ReadUInt16BigEndian(addresses[32..]));
                return ProxyProtocolRead.Done;
            default:
                return ProxyProtocolRead.Bad;
        }
    }

    private static IPAddress? AddressOf(string text, string family)
    {
        var wanted = family == "TCP4" ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        return ForwardedNodes.AddressOf(text) is { } address && address.AddressFamily == wanted && !text.Contains('[', StringComparison.Ordinal)
            && (wanted == AddressFamily.InterNetworkV6 || !text.Contains(':', StringComparison.Ordinal)) ? address : null;
    }

    private static int? PortOf(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && (text == "0" || text[0] != '0') ? port : null;
}
