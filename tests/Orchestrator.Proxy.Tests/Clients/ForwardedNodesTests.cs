using System.Net;
using Orchestrator.Proxy.Clients;

namespace Orchestrator.Proxy.Tests.Clients;

public sealed class ForwardedNodesTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("192.0.2.1:8080", "192.0.2.1")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    [InlineData("[2001:db8::1]", "2001:db8::1")]
    [InlineData("[2001:db8::1]:80", "2001:db8::1")]
    [InlineData("::ffff:192.0.2.1", "::ffff:192.0.2.1")]
    [InlineData("", null)]
    [InlineData("1", null)]
    [InlineData("1.2", null)]
    [InlineData("0x7f.0.0.1", null)]
    [InlineData("1.2.3.4.5", null)]
    [InlineData("unknown", null)]
    [InlineData("_hidden", null)]
    [InlineData("example.org", null)]
    [InlineData("192.0.2.1:x", null)]
    [InlineData("192.0.2.1, 192.0.2.2", null)]
    public void An_address_is_one_with_a_port_or_without(string node, string? address) =>
        Assert.Equal(address is null ? null : IPAddress.Parse(address), ForwardedNodes.AddressOf(node));

    [Theory]
    [InlineData("for=192.0.2.1", "192.0.2.1//")]
    [InlineData("For=192.0.2.1;Proto=https;Host=example.org", "192.0.2.1/https/example.org")]
    [InlineData("for=\"[2001:db8::1]:4711\";by=10.0.0.1 , for=unknown", "2001:db8::1// //")]
    [InlineData("host=\"example.org:80\";for=\"192.0.2.1\"", "192.0.2.1//example.org:80")]
    [InlineData("for=\"a\\\"b,;\", for=10.0.0.1", "// 10.0.0.1//")]
    [InlineData("for", "")]
    [InlineData("for=\"192.0.2.1", "")]
    [InlineData("for=10.0.0.1 x", "")]
    [InlineData("for=10.0.0.1,", "")]
    [InlineData("", "")]
    public void Forwarded_is_read_by_its_grammar_or_not_at_all(string value, string nodes) =>
        Assert.Equal(nodes, string.Join(' ', ForwardedNodes.OfForwarded(value).Select(node => $"{node.For}/{node.Proto}/{node.Host}")));
}
