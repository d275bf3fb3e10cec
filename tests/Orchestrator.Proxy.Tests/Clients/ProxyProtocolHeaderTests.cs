using System.Net;
using System.Text;
using Orchestrator.Proxy.Clients;

namespace Orchestrator.Proxy.Tests.Clients;

public sealed class ProxyProtocolHeaderTests
{
    private const string Signature = "\r\n\r\n\0\r\nQUIT\n";

    private static readonly string Four = "\u00CB\0\u0071\u0007" + "\u000A\0\0\u0001" + "\u0012\u0067" + "\u0001\u00BB";

    private static readonly string Six = " \u0001\u000D\u00B8" + new string('\0', 11) + "\u0007" + new string('\0', 15) + "\u0001" + "\u0012\u0067" + "\u0001\u00BB";

    public static TheoryData<string, string?> Good() => new()
    {
        { "PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n", "203.0.113.7:4711" },
        { "PROXY TCP6 2001:db8::7 fd00::1 4711 443\r\n", "[2001:db8::7]:4711" },
        { "PROXY UNKNOWN\r\n", null },
        { "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", null },
        { $"{Signature}\u0021\u0011\0\u000C{Four}", "203.0.113.7:4711" },
        { $"{Signature}\u0021\u0021\0\u0024{Six}", "[2001:db8::7]:4711" },
        { $"{Signature}\u0021\u0011\0\u0010{Four}\u0004\0\u0001\0", "203.0.113.7:4711" },
        { $"{Signature}\u0020\0\0\0", null },
        { $"{Signature}\u0020\u0011\0\u000C{Four}", null },
        { $"{Signature}\u0021\0\0\u0003abc", null },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public void A_header_tells_the_client_once_all_of_it_is_there(string text, string? client)
    {
        var header = Encoding.Latin1.GetBytes(text);

        Assert.Equal(ProxyProtocolRead.Done, ProxyProtocolHeader.Read([.. header, .. "GET / HTTP/1.1"u8], out var length, out var seen));
        Assert.Equal((header.Length, client is null ? null : IPEndPoint.Parse(client)), (length, seen));
        for (var i = 0; i < header.Length; i++)
        {
            Assert.Equal(ProxyProtocolRead.Incomplete, ProxyProtocolHeader.Read(header.AsSpan(0, i), out _, out _));
        }
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("POST / HTTP/1.1\r\n")]
    [InlineData("PROXY TCP4 203.0.113.7 10.0.0.1 4711\r\n")]
    [InlineData("PROXY TCP4 203.0.113.7 10.0.0.1 4711 443 \r\n")]
    [InlineData("PROXY TCP4  203.0.113.7 10.0.0.1 4711 443\r\n")]
    [InlineData("PROXY TCP4 2001:db8::7 10.0.0.1 4711 443\r\n")]
    [InlineData("PROXY TCP4 203.0.113.7:1 10.0.0.1 4711 443\r\n")]
    [InlineData("PROXY TCP4 1 10.0.0.1 4711 443\r\n")]
    [InlineData("PROXY TCP6 [2001:db8::7] fd00::1 4711 443\r\n")]
    [InlineData("PROXY TCP4 203.0.113.7 10.0.0.1 65536 443\r\n")]
    [InlineData("PROXY TCP4 203.0.113.7 10.0.0.1 -1 443\r\n")]
    [InlineData("PROXY TCP4 203.0.113.7 10.0.0.1 047 443\r\n")]
    [InlineData("PROXY UDP4 203.0.113.7 10.0.0.1 4711 443\r\n")]
    [InlineData("PROXY\r\n")]
    [InlineData("PROXY UNKNOWN 12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890\r\n")]
    [InlineData("\r\n\r\n\0\r\nQUIX\n\u0021\u0011\0\u000C")]
    [InlineData(Signature + "\u0011\u0011\0\0")]
    [InlineData(Signature + "\u0022\u0011\0\0")]
    [InlineData(Signature + "\u0021\u0011\0\u0004abcd")]
    [InlineData(Signature + "\u0021\u0012\0\u000Cabcdefghijkl")]
    [InlineData(Signature + "\u0021\u0031\0\u0002ab")]
    public void Anything_else_is_bad(string text) =>
        Assert.Equal(ProxyProtocolRead.Bad, ProxyProtocolHeader.Read(Encoding.Latin1.GetBytes(text), out _, out _));
}
