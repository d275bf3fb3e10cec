using System.Net;
using Orchestrator.Proxy.Clients;

namespace Orchestrator.Proxy.Tests.Clients;

public sealed class ClientLineTests
{
    [Theory]
    [InlineData("v1", "203.0.113.7", "10.0.0.1", "203.0.113.7:4711")]
    [InlineData("v2", "203.0.113.7", "10.0.0.1", "203.0.113.7:4711")]
    [InlineData("v1", "2001:db8::7", "fd00::1", "[2001:db8::7]:4711")]
    [InlineData("v2", "2001:db8::7", "fd00::1", "[2001:db8::7]:4711")]
    [InlineData("v1", "::ffff:203.0.113.7", "::ffff:10.0.0.1", "203.0.113.7:4711")]
    [InlineData("v2", "2001:db8::7", "10.0.0.1", "[2001:db8::7]:4711")]
    [InlineData("v1", null, null, null)]
    [InlineData("v2", null, null, null)]
    public void What_is_sent_is_what_is_read(string version, string? client, string? server, string? read)
    {
        var line = ClientLine.Of(version, client is null ? null : IPAddress.Parse(client), 4711, server is null ? null : IPAddress.Parse(server), 443);
        var header = line.ToHeader();

        Assert.Equal(ProxyProtocolRead.Done, ProxyProtocolHeader.Read(header, out var length, out var seen));
        Assert.Equal((header.Length, read is null ? null : IPEndPoint.Parse(read)), (length, seen));
        Assert.Equal((byte)(version == "v1" ? 'P' : '\r'), header[0]);
        Assert.Equal(line, ClientLine.Parse(new Uri($"http://{line.ToHost()}:80/").Host));
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("example.org")]
    public void A_real_host_names_no_client(string host) => Assert.Null(ClientLine.Parse(host));
}
