using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Orchestrator.Cli.Connection;

namespace Orchestrator.Cli.Tests.Connection;

/// <summary>A client beside a server that asks for certificates, and tells in its answer whose it was shown.</summary>
public sealed class ClientCertificateTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private WebApplication? _server;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_connection_shows_the_certificate_that_the_files_have_by_then(bool apart)
    {
        Write("first", apart);
        var configuration = new KubeconfigChoice([_folder["kubeconfig"]], "test").Load(null);
        using var client = new Kubernetes(configuration);
        Assert.Equal("CN=first", await WhoAmIAsync(client));

        Write("second", apart);
        Assert.Equal("CN=second", await WhoAmIAsync(client));

        // What is torn is passed over until it is whole again.
        await File.WriteAllTextAsync(_folder["kubeconfig"], "users: [", Cancellation);
        Assert.Equal("CN=second", await WhoAmIAsync(client));
        File.Delete(_folder["kubeconfig"]);
        Assert.Equal("CN=second", await WhoAmIAsync(client));
        Write("third", apart);
        Assert.Equal("CN=third", await WhoAmIAsync(client));
    }

    [Fact]
    public async Task What_a_link_leads_to_is_seen_to_change_whatever_its_time_says()
    {
        // As a Secret is mounted, whose folder is exchanged as a whole.
        var written = _folder["written"];
        foreach (var name in new[] { "first", "second" })
        {
            Write(name, apart: false);
            File.Move(_folder["kubeconfig"], Directory.CreateDirectory(Path.Combine(written, name)).FullName + "/kubeconfig");
            File.SetLastWriteTimeUtc(Path.Combine(written, name, "kubeconfig"), DateTime.UnixEpoch);
        }

        Directory.CreateSymbolicLink(_folder["data"], Path.Combine(written, "first"));
        File.CreateSymbolicLink(_folder["kubeconfig"], "data/kubeconfig");
        using var client = new Kubernetes(new KubeconfigChoice([_folder["kubeconfig"]], "test").Load(null));
        Assert.Equal("CN=first", await WhoAmIAsync(client));

        Directory.Delete(_folder["data"]);
        Directory.CreateSymbolicLink(_folder["data"], Path.Combine(written, "second"));

        Assert.Equal("CN=second", await WhoAmIAsync(client));
    }

    [Fact]
    public void A_connection_lasts_no_longer_than_a_new_certificate_is_good_for()
    {
        Write("first", apart: false);
        using var handler = new SocketsHttpHandler();
        new KubeconfigChoice([_folder["kubeconfig"]], "test").Load(null).FirstMessageHandlerSetup(handler);

        Assert.InRange(handler.PooledConnectionLifetime, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1));
    }

    public async ValueTask InitializeAsync()
    {
        using var key = RSA.Create(2048);
        var certificate = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.AllowAnyClientCertificate();
            });
        }));
        _server = builder.Build();
        _server.Run(context =>
        {
            // The next request begins a connection of its own.
            context.Response.Headers.Connection = "close";
            return context.Response.WriteAsJsonAsync(new { major = "1", minor = "0", gitVersion = context.Connection.ClientCertificate!.Subject }, Cancellation);
        });
        await _server.StartAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _folder.Dispose();
    }

    private static async Task<string> WhoAmIAsync(Kubernetes client) => (await client.Version.GetCodeAsync(Cancellation)).GitVersion;

    /// <param name="apart">Certificate and key are files of their own.</param>
    private void Write(string name, bool apart)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        var (shown, secret) = (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
        var (data, value, other) = apart ? ("", "client.crt", "client.key") : ("-data", Base64(shown), Base64(secret));
        if (apart)
        {
            File.WriteAllText(_folder["client.key"], secret);
            File.WriteAllText(_folder["client.crt"], shown);
        }

        if (!apart || !File.Exists(_folder["kubeconfig"]) || new FileInfo(_folder["kubeconfig"]).Length < 20)
        {
            File.WriteAllText(_folder["kubeconfig"], $"""
                apiVersion: v1
                clusters:
                  - name: one
                    cluster:
                      server: {_server!.Urls.Single()}
                      insecure-skip-tls-verify: true
                contexts:
                  - name: one
                    context:
                      cluster: one
                      user: me
                users:
                  - name: me
                    user:
                      client-certificate{data}: {value}
                      client-key{data}: {other}
                current-context: one
                """);
        }

        static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(text));
    }
}
