using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Manifests;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>What <c>hosts add</c> takes from elsewhere than its own options.</summary>
public sealed class HostsAddTests(ServerFixture server)
{
    private static readonly (string File, string Key)[] TlsFiles = [("ca.pem", "ca.crt"), ("cert.pem", "tls.crt"), ("key.pem", "tls.key")];

    /// <summary>Docker's own client makes the context: where it keeps what is its business, and may change.</summary>
    [Fact]
    public async Task A_context_of_Dockers_client_becomes_host_and_secret()
    {
        using var folder = new TemporaryFolder();
        await WriteTlsFilesAsync(folder);
        await RunAsync(folder, await Dependency.PathOf("docker"), "context", "create", "production", "--docker",
            $"host=tcp://127.0.0.1:1,ca={folder["ca.pem"]},cert={folder["cert.pem"]},key={folder["key.pem"]}");

        await RunAsync(folder, ServerFixture.OrcPath, "hosts", "add", "by-context", "--docker-context", "production", "--no-check", "--kubeconfig", server.Kubeconfig);

        var host = await ReadAsync("dockerhost", "by-context");
        Assert.Equal("""{"endpoint":"tcp://127.0.0.1:1","tlsSecretName":"by-context-docker-tls"}""", GoJson.Write(host["spec"]));
        var secret = await ReadAsync("secret", "by-context-docker-tls", "-n", "orchestrator-system");
        foreach (var (file, key) in TlsFiles)
        {
            Assert.Equal(await File.ReadAllTextAsync(folder[file], TestContext.Current.CancellationToken), Encoding.UTF8.GetString(Convert.FromBase64String((string)secret["data"]![key]!)));
        }
    }

    private static async Task WriteTlsFilesAsync(TemporaryFolder folder)
    {
        using var key = ECDsa.Create();
        using var certificate = new CertificateRequest("CN=client", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(99));
        using var another = ECDsa.Create();
        using var authority = new CertificateRequest("CN=ca", another, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(99));
        string[] contents = [authority.ExportCertificatePem(), certificate.ExportCertificatePem(), key.ExportECPrivateKeyPem()];
        foreach (var (content, (file, _)) in contents.Zip(TlsFiles))
        {
            await File.WriteAllTextAsync(folder[file], content, TestContext.Current.CancellationToken);
        }
    }

    private static async Task RunAsync(TemporaryFolder folder, params string[] command) =>
        (await Command.RunAsync("env", [$"DOCKER_CONFIG={folder["docker"]}", .. command], cancellationToken: TestContext.Current.CancellationToken)).OrThrow();

    private async Task<JsonNode> ReadAsync(params string[] what) =>
        JsonNode.Parse((await server.OrcAsync(["get", .. what, "-o", "json"])).OrThrow().Output)!;
}
