using System.Net;
using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Clients;

namespace Orchestrator.Proxy.Tests.Clients;

public sealed class ClientIdentityTests
{
    private static readonly TrustedNetworks Trusted = new([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("fd00::/8")]);

    [Theory]
    [InlineData("10.0.0.1", "203.0.113.7", "203.0.113.7", "203.0.113.7, 10.0.0.1")]
    [InlineData("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7", "203.0.113.7, 10.0.0.1")]
    [InlineData("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7", "203.0.113.7, 10.0.0.2, 10.0.0.1")]
    [InlineData("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3", "10.0.0.3, 10.0.0.2, 10.0.0.1")]
    [InlineData("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1", "10.0.0.1")]
    [InlineData("10.0.0.1", "unknown, 10.0.0.2", "10.0.0.2", "10.0.0.2, 10.0.0.1")]
    [InlineData("10.0.0.1", "", "10.0.0.1", "10.0.0.1")]
    [InlineData("fd00::1", "[2001:db8::7]:4711", "2001:db8::7", "2001:db8::7, fd00::1")]
    public void The_rightmost_address_that_is_not_trusted_is_the_client(string peer, string forwardedFor, string client, string chain)
    {
        var context = Request(peer, ("X-Forwarded-For", forwardedFor));

        Assert.True(new ClientIdentity(Trusted).Resolve(context));

        Assert.Equal(client, ForwardedChain.TextOf(context.Connection.RemoteIpAddress!));
        Assert.Equal(chain, context.Features.Get<ForwardedChain>()!.ForwardedFor);
    }

    [Fact]
    public void Nobody_else_is_believed()
    {
        var context = Request("203.0.113.7", ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example.org"));

        Assert.False(new ClientIdentity(Trusted).Resolve(context));
        Assert.False(new ClientIdentity(new TrustedNetworks([])).Resolve(context));

        Assert.Equal("203.0.113.7", context.Connection.RemoteIpAddress!.ToString());
        Assert.Equal("http", context.Request.Scheme);
        Assert.Null(context.Features.Get<ForwardedChain>());
    }

    [Theory]
    [InlineData("https", "a.example.org", "https", "a.example.org")]
    [InlineData("HTTPS", "a.example.org:8443", "https", "a.example.org:8443")]
    [InlineData("https, http", "a.example.org, b.example.org", "https", "a.example.org")]
    [InlineData("gopher", "a b", "http", null)]
    [InlineData("", "\"x", "http", null)]
    public void Scheme_and_host_are_what_the_client_asked_for(string proto, string host, string scheme, string? asked)
    {
        var context = Request("10.0.0.1", ("X-Forwarded-For", "203.0.113.7, 10.0.0.2"), ("X-Forwarded-Proto", proto), ("X-Forwarded-Host", host));

        new ClientIdentity(Trusted).Resolve(context);

        Assert.Equal(scheme, context.Request.Scheme);
        Assert.Equal(asked, context.Features.Get<ForwardedChain>()!.Host);
    }

    [Fact]
    public void Forwarded_counts_where_there_is_no_other()
    {
        var context = Request("10.0.0.1", ("Forwarded", "for=6.6.6.6;proto=http, for=203.0.113.7;proto=https;host=a.example.org, for=10.0.0.2;proto=http"));

        new ClientIdentity(Trusted).Resolve(context);

        var chain = context.Features.Get<ForwardedChain>()!;
        Assert.Equal("203.0.113.7, 10.0.0.2, 10.0.0.1", chain.ForwardedFor);
        Assert.Equal(("https", "a.example.org"), (context.Request.Scheme, chain.Host));
        Assert.Equal(
            "for=203.0.113.7;proto=https;host=\"a.example.org\", for=10.0.0.2, for=10.0.0.1", ForwardedChain.Forwarded(chain.Addresses, "https", chain.Host));
    }

    [Fact]
    public void Addresses_of_six_are_quoted_in_Forwarded() =>
        Assert.Equal("for=\"[2001:db8::1]\";proto=http", ForwardedChain.Forwarded([IPAddress.Parse("2001:db8::1")], "http", ""));

    private static DefaultHttpContext Request(string peer, params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        context.Request.Scheme = "http";
        foreach (var (name, value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        return context;
    }
}
