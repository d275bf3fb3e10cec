using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s;

namespace Orchestrator.ApiServer.Tests.Rest;

public sealed class AccessTests(ServerUnderTest server) : IClassFixture<ServerUnderTest>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/healthz", 200)]
    [InlineData("/livez", 200)]
    [InlineData("/readyz", 200)]
    [InlineData("/version", 200)]
    [InlineData("/api", 401)]
    [InlineData("/api/v1/namespaces", 401)]
    [InlineData("/nowhere", 401)]
    public async Task The_unknown_see_health_and_version_only(string path, int code)
    {
        using var reply = await server.Client(null).GetAsync(path, Cancelled);
        Assert.Equal(code, (int)reply.StatusCode);
    }

    [Fact]
    public async Task A_wrong_token_and_a_foreign_certificate_are_unauthorized()
    {
        using var byToken = await server.Client("wrong").GetAsync("/healthz", Cancelled);
        Assert.Equal(HttpStatusCode.Unauthorized, byToken.StatusCode);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=x, O=system:masters", key, HashAlgorithmName.SHA256);
        using var foreign = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(500));
        using var byCertificate = await server.Client(null, foreign).GetAsync("/api/v1/namespaces", Cancelled);
        Assert.Equal(HttpStatusCode.Unauthorized, byCertificate.StatusCode);
    }

    [Fact]
    public async Task Requests_that_come_side_by_side_over_a_new_connection_are_all_known()
    {
        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigFile(Path.Combine(server.DataFolder, "admin.kubeconfig"));
        using var certificate = X509Certificate2.CreateFromPem(
            Encoding.ASCII.GetString(Convert.FromBase64String(configuration.ClientCertificateData)),
            Encoding.ASCII.GetString(Convert.FromBase64String(configuration.ClientCertificateKeyData)));
        var client = server.Client(null, certificate);
        var codes = await Task.WhenAll(Enumerable.Range(0, 64).Select(async _ =>
        {
            using var reply = await client.GetAsync("/api/v1/namespaces", Cancelled);
            return reply.StatusCode;
        }));
        Assert.All(codes, code => Assert.Equal(HttpStatusCode.OK, code));
    }

    [Theory]
    [InlineData("proxy", "list", "orchestrator.dev", "webapps", "", true)]
    [InlineData("proxy", "update", "orchestrator.dev", "webapps", "default", false)]
    [InlineData("proxy", "create", "coordination.k8s.io", "leases", "orchestrator-system", true)]
    [InlineData("proxy", "create", "coordination.k8s.io", "leases", "default", false)]
    [InlineData("proxy", "get", "", "secrets", "default", false)]
    [InlineData("proxy", "watch", "", "secrets", "orchestrator-proxies", true)]
    [InlineData("proxy", "update", "", "secrets", "orchestrator-proxies", false)]
    [InlineData("proxy", "list", "", "secrets", "orchestrator-system", false)]
    [InlineData("controller", "update", "", "secrets", "orchestrator-proxies", true)]
    [InlineData("controller", "get", "", "secrets", "orchestrator-system", true)]
    [InlineData("controller", "create", "", "secrets", "default", true)]
    [InlineData("controller", "update", "", "secrets", "default", true)]
    [InlineData("controller", "patch", "", "secrets", "default", false)]
    [InlineData("controller", "create", "", "configmaps", "default", false)]
    [InlineData("controller", "create", "", "events", "default", true)]
    [InlineData("controller", "delete", "orchestrator.dev", "replicas", "default", true)]
    [InlineData("controller", "delete", "", "namespaces", "", false)]
    [InlineData("admin", "delete", "", "namespaces", "", true)]
    public async Task Each_may_do_what_it_needs(string client, string verb, string group, string resource, string space, bool allowed)
    {
        using var kubernetes = Connect(client);
        var review = await kubernetes.AuthorizationV1.CreateSelfSubjectAccessReviewAsync(
            new k8s.Models.V1SelfSubjectAccessReview
            {
                Spec = new() { ResourceAttributes = new() { Verb = verb, Group = group, Resource = resource, NamespaceProperty = space } },
            },
            cancellationToken: Cancelled);
        Assert.Equal(allowed, review.Status.Allowed);
    }

    [Fact]
    public async Task What_one_may_not_do_is_forbidden_and_says_so()
    {
        using var proxy = Connect("proxy");
        var failure = await Assert.ThrowsAsync<k8s.Autorest.HttpOperationException>(
            () => proxy.CoreV1.ReadNamespacedSecretAsync("s", "default", cancellationToken: Cancelled));
        Assert.Equal(HttpStatusCode.Forbidden, failure.Response.StatusCode);
        Assert.Contains(
            "User \\\"orchestrator:proxy\\\" cannot get resource \\\"secrets\\\" in API group \\\"\\\" in the namespace \\\"default\\\"",
            failure.Response.Content,
            StringComparison.Ordinal);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void Keys_are_for_their_owner_only()
    {
        const UnixFileMode Others = (UnixFileMode)0b000_111_111;
        Assert.Equal(default, File.GetUnixFileMode(server.DataFolder) & Others);
        foreach (var file in (string[])["admin.kubeconfig", "controller.kubeconfig", "proxy.kubeconfig", "admin.token", "pki/ca.key", "pki/server.key", "state.db"])
        {
            Assert.Equal(default, File.GetUnixFileMode(Path.Combine(server.DataFolder, file)) & Others);
        }
    }

    private Kubernetes Connect(string client) => new(
        KubernetesClientConfiguration.BuildConfigFromConfigFile(Path.Combine(server.DataFolder, client + ".kubeconfig")));
}
