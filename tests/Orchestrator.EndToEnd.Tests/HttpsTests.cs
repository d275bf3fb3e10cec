using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>A site by https, from <c>kubectl create secret tls</c> to the certificate that visitors see.</summary>
public sealed class HttpsTests
{
    [Fact]
    public async Task A_certificate_from_a_secret_is_shown_and_another_takes_its_place_while_people_visit()
    {
        var port = FreePort.Next();
        await using var installation = await Installation.StartAsync(hosts: 1, kubeconfig: null, "--proxy-tls-listen", $"127.0.0.1:{port}");
        using var authority = new TestAuthority();
        using var http = Client(port, authority);
        await CreateAsync(installation, authority, "site-tls", "site.example.org");

        await installation.ApplyAsync(Manifests.Web("site", installation.Lab.Image("web:v1"), replicas: 1, """
                tls:
                  secretName: site-tls
            """));
        await installation.SeeReady("site", 1);
        await Eventually.See(
            () => installation.GetAsync("webapp", "site"),
            app => app["status"]!["conditions"]!.AsArray().Any(one => (string?)one!["type"] == "CertificateReady" && (string?)one["status"] == "True"));
        var first = await Eventually.See(() => ShownAsync(port, "site.example.org"), shown => shown.Length > 0);

        await using var visitor = new Visitor("GET https", async cancellation => Page.Read(await http.GetStringAsync("https://site.example.org/", cancellation)).Version, people: 2, TimeSpan.FromMilliseconds(10));
        await CreateAsync(installation, authority, "site-tls", "site.example.org");
        await Eventually.See(() => ShownAsync(port, "site.example.org"), shown => shown != first);
        var answered = visitor.Answered;
        await Eventually.True(() => Task.FromResult(visitor.Answered > answered + 10));
        await visitor.NoneFailedAsync();

        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{installation.ProxyPort}/x");
        request.Headers.Host = "site.example.org";
        using var plain = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var redirect = await plain.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(
            (HttpStatusCode.PermanentRedirect, string.Create(CultureInfo.InvariantCulture, $"https://site.example.org:{port}/x")),
            (redirect.StatusCode, redirect.Headers.Location?.ToString()));
    }

    /// <summary>As a user has it from an authority, in files; a second time it takes the place of the first.</summary>
    private static async Task CreateAsync(Installation installation, TestAuthority authority, string name, string host)
    {
        using var folder = new TemporaryFolder();
        var (certificate, key) = authority.Server(90, host);
        await File.WriteAllBytesAsync(folder["tls.crt"], certificate);
        await File.WriteAllBytesAsync(folder["tls.key"], key);
        var secret = await installation.KubectlAsync(
            "create", "secret", "tls", name, "--cert", folder["tls.crt"], "--key", folder["tls.key"], "--dry-run=client", "-o", "yaml");
        await installation.ApplyAsync(secret.OrThrow().Output);
    }

    /// <returns>Hash of the certificate that a new connection is shown; empty while there is none.</returns>
    private static async Task<string> ShownAsync(int port, string name)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, port);
        await using var stream = new System.Net.Security.SslStream(connection.GetStream(), leaveInnerStreamOpen: true, (_, shown, _, _) => shown is not null);
        await stream.AuthenticateAsClientAsync(name);
        return stream.RemoteCertificate?.GetCertHashString() ?? "";
    }

    private static HttpClient Client(int port, TestAuthority authority)
    {
        var handler = new SocketsHttpHandler
        {
            // A new handshake now and then: it is they that a change could break.
            PooledConnectionLifetime = TimeSpan.FromMilliseconds(100),
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { authority.Certificate },
        };
        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30) };
    }
}
