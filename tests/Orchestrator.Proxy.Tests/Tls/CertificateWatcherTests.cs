using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Tests.Support;
using Orchestrator.Proxy.Tls;

namespace Orchestrator.Proxy.Tests.Tls;

/// <summary>A proxy and what is laid out for it in the API, by the account that proxies have.</summary>
public sealed class CertificateWatcherTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task Certificates_come_from_the_api_change_while_requests_go_on_and_last_without_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        using var admin = cluster.Client("admin");
        await using var server = await ReplicaServer.StartAsync("web");
        await cluster.CreateAppAsync("web", new Route { Hosts = ["web.example.org"], Tls = new() { SecretName = "tls" } });
        await cluster.CreateReplicaAsync("web", server);
        var secret = await admin.CoreV1.CreateNamespacedSecretAsync(Secret("default.web", "web.example.org"), ApiGroup.ProxyNamespace);
        await admin.CoreV1.CreateNamespacedSecretAsync(Secret(ProxySecrets.DefaultCertificate, "default.test"), ApiGroup.ProxyNamespace);
        await using (var proxy = await StartAsync(cluster))
        {
            var port = proxy.TlsAddress!.Port;
            await Eventually.See(() => NamesAsync(port, "web.example.org"), names => names == "web.example.org");
            Assert.Equal("default.test", await NamesAsync(port, "elsewhere.test"));
            using var client = TlsClient.New(port, _authority);
            await Eventually.True(async () => (await client.GetAsync("https://web.example.org/", Cancellation)).StatusCode == HttpStatusCode.OK);
            using var stop = new CancellationTokenSource();
            var asking = AskAsync(port, stop.Token);

            secret.Data = Secret("x", "web.example.org", "new.example.org").Data;
            secret = await admin.CoreV1.ReplaceNamespacedSecretAsync(secret, "default.web", ApiGroup.ProxyNamespace);
            await Eventually.See(() => NamesAsync(port, "web.example.org"), names => names == "web.example.org new.example.org");

            // One that is broken, and one that no app is named by, change nothing for anybody.
            secret.Data["tls.key"] = "rubbish"u8.ToArray();
            await admin.CoreV1.ReplaceNamespacedSecretAsync(secret, "default.web", ApiGroup.ProxyNamespace);
            await admin.CoreV1.CreateNamespacedSecretAsync(Secret("some-other", "some.other"), ApiGroup.ProxyNamespace);
            await Eventually.See(() => MetricsAsync(proxy), text => text.Contains("orchestrator_proxy_certificate_unusable{namespace=\"default\",app=\"web\"} 1", StringComparison.Ordinal));
            Assert.Contains("orchestrator_proxy_certificate_expiry_timestamp_seconds{namespace=\"default\",app=\"web\"} ", await MetricsAsync(proxy), StringComparison.Ordinal);
            Assert.Equal("web.example.org new.example.org", await NamesAsync(port, "web.example.org"));
            await stop.CancelAsync();
            Assert.True(await asking > 0);
        }

        // What was good last is what a proxy has that starts without the API.
        secret.Data = Secret("x", "web.example.org", "last.example.org").Data;
        secret.Metadata.ResourceVersion = null;
        await admin.CoreV1.ReplaceNamespacedSecretAsync(secret, "default.web", ApiGroup.ProxyNamespace);
        await using (var proxy = await StartAsync(cluster))
        {
            await Eventually.See(() => NamesAsync(proxy.TlsAddress!.Port, "web.example.org"), names => names == "web.example.org last.example.org");
            await Eventually.True(() => Task.FromResult(File.ReadAllText(Path.Combine(cluster.StateFolder, "certificates.json")).Contains(
                Convert.ToBase64String(secret.Data["tls.key"]).Replace("+", "\\u002B", StringComparison.Ordinal), StringComparison.Ordinal)));
        }

        Assert.True(OperatingSystem.IsWindows()
            || File.GetUnixFileMode(Path.Combine(cluster.StateFolder, "certificates.json")) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        await cluster.StopApiAsync();
        await using var alone = await StartAsync(cluster, api: false);
        using var last = TlsClient.New(alone.TlsAddress!.Port, _authority);
        Assert.Equal("web", await last.GetStringAsync("https://web.example.org/", Cancellation));
    }

    [Theory]
    [InlineData("rubbish")]
    [InlineData("null")]
    [InlineData("{\"version\":2,\"secrets\":{}}")]
    [InlineData("{\"version\":1}")]
    [InlineData("{\"version\":1,\"secrets\":{\"default.web\":null}}")]
    public void A_stored_file_that_cannot_be_used_is_passed_over(string content)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["certificates.json"], content);

        Assert.Empty(new CertificateStore(folder.Path, NullLogger<CertificateStore>.Instance).Load());
    }

    private static async Task<ProxyServer> StartAsync(TestCluster cluster, bool api = true)
    {
        var proxy = await cluster.StartProxyAsync(options => options with { Tls = new IPEndPoint(IPAddress.Loopback, 0) });
        if (api)
        {
            await proxy.WaitForSyncAsync(Cancellation);
        }

        return proxy;
    }

    /// <summary>One connection after another; any that fails throws.</summary>
    private async Task<int> AskAsync(int port, CancellationToken stop)
    {
        var answered = 0;
        while (!stop.IsCancellationRequested)
        {
            using var client = TlsClient.New(port, _authority);
            using var request = TlsClient.Request("https://web.example.org/");
            using var response = await client.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            answered++;
        }

        return answered;
    }

    private static async Task<string> NamesAsync(int port, string asked)
    {
        using var shown = await TlsClient.ShownAsync(port, asked, Cancellation);
        return string.Join(' ', shown.Extensions.OfType<System.Security.Cryptography.X509Certificates.X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames());
    }

    private static async Task<string> MetricsAsync(ProxyServer proxy)
    {
        using var client = new HttpClient();
        return await client.GetStringAsync($"http://{proxy.AdminAddress}/metrics", Cancellation);
    }

    private V1Secret Secret(string name, params string[] names)
    {
        var (certificate, key) = _authority.Server(90, names);
        return new()
        {
            Metadata = new() { Name = name, NamespaceProperty = ApiGroup.ProxyNamespace },
            Type = ProxySecrets.Type,
            Data = new Dictionary<string, byte[]> { ["tls.crt"] = certificate, ["tls.key"] = key },
        };
    }
}
