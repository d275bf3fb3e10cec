using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Tests.Cluster;
using Orchestrator.Proxy;

namespace Orchestrator.ControlPlane.Tests.Acme;

/// <summary>The whole way, with an authority that is not ours: API server, controllers, proxies and pebble, each as it is.</summary>
public sealed class PebbleTests
{
    [Fact]
    public async Task Proxies_prove_the_hosts_and_show_the_certificate_and_its_successor_for_more_hosts()
    {
        using var folder = new TemporaryFolder();
        await using var cluster = await TestCluster.StartAsync(hosts: 0, controllers: false);
        await using var proxy = await cluster.StartProxyAsync(Proxy("one", port: 0));

        // On the same address, as behind a balancer: whichever of them the authority comes to has to know the answer.
        await using var other = await cluster.StartProxyAsync(Proxy("other", proxy.Address.Port) with { TakeOver = true });
        await using var pebble = await Pebble.StartAsync(proxy.Address.Port);
        await cluster.StartControllersAsync(acme: pebble.Options);

        await cluster.ApplyAsync("shop", 0, spec => spec.Route = new() { Hosts = ["shop.test"], Tls = new() { Acme = true } });
        await WaitForValidAsync(cluster, pebble);
        Assert.Equal(["shop.test"], await ShownAsync(proxy, "shop.test", ["shop.test"]));
        Assert.Equal(["shop.test"], await ShownAsync(other, "shop.test", ["shop.test"]));
        await Eventually.True(async () => (await cluster.EventsAsync("shop")).Contains("Normal AcmeIssued: a certificate was issued for shop.test"));
        Assert.DoesNotContain(await cluster.EventsAsync("shop"), entry => entry.StartsWith("Warning Acme", StringComparison.Ordinal) || entry.Contains("acme-tls", StringComparison.Ordinal));
        Assert.Equal(["sites.shop"], await NamesAsync(cluster));

        // Requests for other tokens are the app's: they are sent to https as any, which has no replica here.
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{proxy.Address}/.well-known/acme-challenge/other") { Headers = { Host = "shop.test" } };
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.PermanentRedirect, answer.StatusCode);

        var account = await AccountAsync(cluster);
        await cluster.StopControllersAsync();
        await cluster.StartControllersAsync(acme: pebble.Options);
        await cluster.PatchAsync("shop", new { route = new { hosts = (string[])["shop.test", "www.shop.test"] } });
        Assert.Equal(["shop.test", "www.shop.test"], await ShownAsync(proxy, "www.shop.test", ["shop.test", "www.shop.test"]));
        await WaitForValidAsync(cluster, pebble);
        Assert.Equal(account, await AccountAsync(cluster));

        ProxyOptions Proxy(string name, int port) => new()
        {
            StateFolder = folder[name], Admin = null, Address = IPAddress.Loopback, Port = port, Tls = new(IPAddress.Loopback, 0), Name = name,
        };
    }

    [Fact]
    public async Task Where_no_proxy_can_be_reached_the_authoritys_own_words_are_told()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 0, controllers: false);
        await using var pebble = await Pebble.StartAsync(FreePort.Next());
        await cluster.StartControllersAsync(acme: pebble.Options);

        await cluster.ApplyAsync("shop", 0, spec => spec.Route = new() { Hosts = ["shop.test"], Tls = new() { Acme = true } });

        var app = await cluster.WaitForAppAsync("shop", app => Find(app) is { Reason: "AcmeOrderFailed" });
        Assert.StartsWith("no certificate could be ordered: shop.test: the authorization is invalid: ", Find(app)!.Message, StringComparison.Ordinal);
        Assert.Contains("connection refused", Find(app)!.Message, StringComparison.Ordinal);
        await Eventually.True(async () => (await cluster.EventsAsync("shop")).Any(entry => entry.StartsWith("Warning AcmeOrderFailed: no certificate", StringComparison.Ordinal)));
    }

    private static V1Condition? Find(WebApp app) => Conditions.Find(app.Status?.Conditions, ConditionTypes.CertificateReady);

    private static async Task WaitForValidAsync(TestCluster cluster, Pebble pebble)
    {
        try
        {
            await cluster.WaitForAppAsync("shop", app => Find(app) is { Status: "True", Reason: "CertificateValid" });
        }
        catch (TimeoutException late)
        {
            var app = await cluster.AppAsync("shop");
            throw new TimeoutException($"{Find(app)?.Reason}: {Find(app)?.Message}\n{pebble.Log}", late);
        }
    }

    /// <summary>The names of the certificate that a client that asks for the host is shown.</summary>
    private static Task<string[]> ShownAsync(ProxyServer proxy, string host, string[] expected) => Eventually.See(
        async () =>
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(proxy.TlsAddress!);
            await using var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) => shown is not null);
            await tls.AuthenticateAsClientAsync(host);
            using var certificate = new X509Certificate2(tls.RemoteCertificate!);
            return certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames().Order(StringComparer.Ordinal).ToArray();
        },
        seen => seen.SequenceEqual(expected));

    private static async Task<IEnumerable<string>> NamesAsync(TestCluster cluster) => await Eventually.See(
        async () => (await cluster.Kubernetes.CoreV1.ListNamespacedSecretAsync(ApiGroup.ProxyNamespace)).Items.Select(secret => secret.Metadata.Name).ToList(),
        seen => seen.Count == 1);

    private static async Task<string> AccountAsync(TestCluster cluster)
    {
        var secret = await cluster.Kubernetes.CoreV1.ReadNamespacedSecretAsync("acme-account", ApiGroup.SystemNamespace);
        return secret.Metadata.Uid + secret.Metadata.ResourceVersion;
    }
}
