using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Tests.Support;
using Orchestrator.Runtime.Certificates;

namespace Orchestrator.Proxy.Tests.Tls;

public sealed class ClientAuthenticationTests
{
    private static readonly ClientAuthentication Required = new() { SecretName = "ca" };
    private static readonly ClientAuthentication Optional = new() { SecretName = "ca", Mode = ClientAuthentication.Optional };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_is_known_gets_through_and_the_replica_is_told_who_it_is()
    {
        using var clients = new TestAuthority("clients");
        using var alice = clients.Client("alice");
        await using var server = await StartAsync();
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls { ClientAuth = Required }, ["shop.example.org"], clients);

        using var client = proxy.Client(certificate: alice);
        Assert.Equal($":{Convert.ToBase64String(alice.RawData)}:", await SeenAsync(client, "https://shop.example.org/", HttpVersion.Version20));
        Assert.Equal($":{Convert.ToBase64String(alice.RawData)}:", await SeenAsync(client, "https://shop.example.org/", HttpVersion.Version11));
    }

    [Fact]
    public async Task Who_shows_nothing_is_refused_where_it_is_required_and_served_where_it_is_not()
    {
        using var clients = new TestAuthority("clients");
        await using var server = await StartAsync();
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls { ClientAuth = Required }, ["shop.example.org"], clients);
        proxy.Add("open", "open.example.org", server, new RouteTls { ClientAuth = Optional }, ["open.example.org"], clients);

        using var client = proxy.Client();
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, "https://shop.example.org/"));
        Assert.Equal("", await SeenAsync(client, "https://open.example.org/", HttpVersion.Version20));
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task What_a_client_says_of_its_certificate_itself_never_reaches_a_replica()
    {
        using var clients = new TestAuthority("clients");
        await using var server = await StartAsync();
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("open", "open.example.org", server, new RouteTls { Redirect = false, ClientAuth = Optional }, ["open.example.org"], clients);
        using var client = proxy.Client();

        using var request = TlsClient.Request("https://open.example.org/");
        request.Headers.TryAddWithoutValidation("client-cert", ":AAAA:");
        request.Headers.TryAddWithoutValidation("Client-Cert-Chain", ":AAAA:");
        using var response = await client.SendAsync(request, Cancellation);

        Assert.Equal("", await response.Content.ReadAsStringAsync(Cancellation));
        var plain = await RawClient.SendAsync(proxy.Proxy.Url, "GET / HTTP/1.1\r\nHost: open.example.org\r\nClient-Cert: :AAAA:\r\n\r\n", Cancellation);
        Assert.StartsWith("HTTP/1.1 200", plain, StringComparison.Ordinal);
        Assert.DoesNotContain("AAAA", plain, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stranger")]
    [InlineData("same name")]
    [InlineData("expired")]
    [InlineData("server's")]
    [InlineData("self-signed")]
    public async Task A_certificate_that_is_no_good_is_refused_also_where_none_is_required(string kind)
    {
        using var clients = new TestAuthority("clients");
        using var others = new TestAuthority(kind == "same name" ? "clients" : "others");
        using var shown = kind switch
        {
            "expired" => clients.Client("alice", days: -1),
            "server's" => clients.Client("alice", usage: "1.3.6.1.5.5.7.3.1"),
            "self-signed" => X509CertificateLoader.LoadPkcs12(others.Certificate.Export(X509ContentType.Pkcs12), null),
            _ => others.Client("alice"),
        };
        await using var server = await StartAsync();
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls { ClientAuth = Required }, ["shop.example.org"], clients);
        proxy.Add("open", "open.example.org", server, new RouteTls { ClientAuth = Optional }, ["open.example.org"], clients);

        using var client = proxy.Client(certificate: shown);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, "https://shop.example.org/"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, "https://open.example.org/"));
        Assert.Equal(0, server.Requests);
    }

    [Fact]
    public async Task A_plain_request_never_reaches_an_app_that_asks_for_certificates()
    {
        using var clients = new TestAuthority("clients");
        await using var server = await StartAsync();
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls { Redirect = false, ClientAuth = Required }, ["shop.example.org"], clients);

        var answer = await RawClient.SendAsync(proxy.Proxy.Url, "GET / HTTP/1.1\r\nHost: shop.example.org\r\n\r\n", Cancellation);

        Assert.StartsWith("HTTP/1.1 403", answer, StringComparison.Ordinal);
        Assert.Equal(0, server.Requests);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_connection_for_another_host_is_no_way_around(string version)
    {
        using var clients = new TestAuthority("clients");
        await using var server = await StartAsync();
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("public", "public.example.org", server, new RouteTls(), ["*.example.org"]);
        proxy.Add("shop", "shop.example.org", server, new RouteTls { ClientAuth = Required }, ["*.example.org"], clients);

        var statuses = await TlsClient.AskAsync(
            proxy.Port, "public.example.org", Version.Parse(version), certificate: null, ["public.example.org", "shop.example.org"], Cancellation);

        Assert.Equal([200, 421], statuses);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task Nor_is_a_handshake_that_names_no_host()
    {
        using var clients = new TestAuthority("clients");
        using var alice = clients.Client("alice");
        await using var server = await StartAsync();
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls { ClientAuth = Required }, ["shop.example.org"], clients);
        proxy.ShowByDefault("default.test");

        var statuses = await StatusesAsync(proxy, "127.0.0.1", alice, "shop.example.org");
        Assert.Equal([421], statuses);
        Assert.Equal(0, server.Requests);
    }

    [Fact]
    public async Task A_certificate_for_one_app_says_nothing_to_another()
    {
        using var clients = new TestAuthority("clients");
        using var others = new TestAuthority("others");
        using var alice = clients.Client("alice");
        await using var server = await StartAsync();
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls { ClientAuth = Required }, ["*.example.org"], clients);
        proxy.Add("bank", "bank.example.org", server, new RouteTls { ClientAuth = Required }, ["*.example.org"], others);

        var statuses = await StatusesAsync(proxy, "shop.example.org", alice, "shop.example.org", "bank.example.org", "shop.example.org");
        Assert.Equal([200, 421, 200], statuses);
        Assert.Equal(2, server.Requests);
    }

    [Fact]
    public async Task Another_apps_path_of_the_same_host_asks_for_itself()
    {
        using var clients = new TestAuthority("clients");
        using var alice = clients.Client("alice");
        await using var server = await StartAsync();
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);
        proxy.Add("admin", "shop.example.org", server, new RouteTls { ClientAuth = Required }, null, clients, path: "/admin");

        using var nobody = proxy.Client();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(nobody, "https://shop.example.org/"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(nobody, "https://shop.example.org/admin"));
        using var client = proxy.Client(certificate: alice);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, "https://shop.example.org/admin/x"));
    }

    [Fact]
    public async Task Authorities_that_are_changed_count_for_connections_that_there_are()
    {
        using var clients = new TestAuthority("clients");
        using var later = new TestAuthority("later");
        using var alice = clients.Client("alice");
        await using var server = await StartAsync();
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls { ClientAuth = Required }, ["shop.example.org"], clients);
        using var client = proxy.Client(certificate: alice);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, "https://shop.example.org/"));

        proxy.Show("shop", ["shop.example.org"], later);

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, "https://shop.example.org/"));
    }

    [Fact]
    public async Task Without_known_authorities_nobody_gets_through()
    {
        using var clients = new TestAuthority("clients");
        using var alice = clients.Client("alice");
        await using var server = await StartAsync();
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls { ClientAuth = Optional }, ["shop.example.org"]);

        using var client = proxy.Client(certificate: alice);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(client, "https://shop.example.org/"));
        Assert.Equal(0, server.Requests);
    }

    [Fact]
    public void An_authority_in_between_vouches_for_its_own_and_no_sibling()
    {
        using var root = new TestAuthority("root");
        using var ours = root.Intermediate("ours");
        using var sibling = root.Intermediate("sibling");
        using var alice = ours.Client("alice");
        using var bob = sibling.Client("bob");
        var now = TimeProvider.System.GetUtcNow();

        var onlyOurs = CertificateAuthorities.Read(ours.Pem);
        Assert.True(onlyOurs.Accept(alice, [], now));
        Assert.False(onlyOurs.Accept(bob, [], now));
        Assert.False(onlyOurs.Accept(bob, [sibling.Certificate, root.Certificate], now));
        var all = CertificateAuthorities.Read(root.Pem);
        Assert.True(all.Accept(alice, [ours.Certificate], now));
        Assert.False(all.Accept(alice, [], now));
        Assert.False(all.Accept(alice, [ours.Certificate], now.AddDays(3000)));
    }

    private static Task<ReplicaServer> StartAsync() => ReplicaServer.StartAsync("web", context => context.Response.WriteAsync(string.Join(
        ' ', context.Request.Headers.Where(header => header.Key.StartsWith("Client-Cert", StringComparison.OrdinalIgnoreCase)).Select(header => header.Value))));

    private static async Task<string> SeenAsync(HttpClient client, string url, Version version)
    {
        using var request = TlsClient.Request(url, version);
        using var response = await client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static async Task<int[]> StatusesAsync(TlsProxy proxy, string serverName, X509Certificate2 certificate, params string[] hosts) =>
        await TlsClient.AskAsync(proxy.Port, serverName, HttpVersion.Version20, certificate, hosts, Cancellation);

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string url)
    {
        using var request = TlsClient.Request(url);
        using var response = await client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }
}
