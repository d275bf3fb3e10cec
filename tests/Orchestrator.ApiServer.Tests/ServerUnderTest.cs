using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Orchestrator.ApiServer.Tests;

/// <summary>A server on a free port over a folder of its own, and an HTTP client with the admin's token.</summary>
public sealed class ServerUnderTest : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<HttpClient> _clients = [];

    public EmbeddedApiServer Server { get; private set; } = null!;

    public HttpClient Admin { get; private set; } = null!;

    public string DataFolder => _folder["data"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Server = await StartAsync(DataFolder);
        Admin = Client((await File.ReadAllTextAsync(Path.Combine(DataFolder, "admin.token"))).Trim());
    }

    public static Task<EmbeddedApiServer> StartAsync(string dataFolder) => EmbeddedApiServer.StartAsync(
        new ApiServerOptions { DataFolder = dataFolder, Port = 0 },
        NullLoggerFactory.Instance,
        TimeProvider.System,
        TestContext.Current.CancellationToken);

    /// <param name="token">Null for an anonymous client.</param>
    public HttpClient Client(string? token, X509Certificate2? certificate = null)
    {
        var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(DataFolder, "pki", "ca.crt"));
        var handler = new SocketsHttpHandler
        {
            SslOptions =
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    RevocationMode = X509RevocationMode.NoCheck,
                    CustomTrustStore = { authority },
                },
                ClientCertificates = certificate is null ? null : [certificate],
            },
        };
        var client = new HttpClient(handler) { BaseAddress = Server.Address, DefaultRequestVersion = HttpVersion.Version20 };
        if (token is not null)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        _clients.Add(client);
        return client;
    }

    public Task<Reply> GetAsync(string path, string? accept = null) => SendAsync(HttpMethod.Get, path, null, accept: accept);

    public Task<Reply> PostAsync(string path, string json) => SendAsync(HttpMethod.Post, path, json);

    public Task<Reply> PutAsync(string path, string json) => SendAsync(HttpMethod.Put, path, json);

    public Task<Reply> MergeAsync(string path, string json) => SendAsync(HttpMethod.Patch, path, json, "application/merge-patch+json");

    public Task<Reply> DeleteAsync(string path, string? options = null) => SendAsync(HttpMethod.Delete, path, options);

    public Task<Reply> SendAsync(HttpMethod method, string path, string? body, string type = "application/json", string? accept = null) =>
        SendAsync(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), type, accept);

    public async Task<Reply> SendAsync(HttpMethod method, string path, byte[]? body, string type, string? accept = null)
    {
        using var request = new HttpRequestMessage(method, path) { Version = HttpVersion.Version20 };
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };
        }

        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        using var response = await Admin.SendAsync(request, Cancelled);
        return await Reply.ReadAsync(response);
    }

    /// <summary>A namespace of one test's own.</summary>
    public async Task<string> NamespaceAsync()
    {
        var created = await PostAsync("/api/v1/namespaces", """{"metadata":{"generateName":"t-"}}""");
        return created.Name;
    }

    /// <summary>A WebApp named web.</summary>
    /// <returns>The path of the collection.</returns>
    public async Task<string> WebAppAsync(string metadata = "")
    {
        var apps = $"/apis/orchestrator.dev/v1/namespaces/{await NamespaceAsync()}/webapps";
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(apps, WebApp("web", metadata))).Code);
        return apps;
    }

    /// <param name="metadata">More members of metadata, each after a comma.</param>
    public static string WebApp(string name, string metadata = "") => $$$"""
        {
          "apiVersion": "orchestrator.dev/v1",
          "kind": "WebApp",
          "metadata": {"name": "{{{name}}}" {{{metadata}}} },
          "spec": {"image": "registry/web:v1", "replicas": 2}
        }
        """;

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            client.Dispose();
        }

        await Server.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>An answer, read.</summary>
public sealed record Reply(HttpStatusCode Code, JsonObject Body, IReadOnlyList<string> Warnings)
{
    public string Name => Body["metadata"]!["name"]!.GetValue<string>();

    public string Revision => Body["metadata"]!["resourceVersion"]!.GetValue<string>();

    public string Reason => Body["reason"]?.GetValue<string>() ?? "";

    public string Message => Body["message"]?.GetValue<string>() ?? "";

    public IEnumerable<string> ItemNames => Body["items"]!.AsArray().Select(item => item!["metadata"]!["name"]!.GetValue<string>());

    public static async Task<Reply> ReadAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var body = text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : new JsonObject { ["text"] = text };
        return new Reply(
            response.StatusCode, body, response.Headers.TryGetValues("Warning", out var warnings) ? [.. warnings] : []);
    }

    public string? Text(string path) => path.Split('.').Aggregate((JsonNode?)Body, (node, name) => node?[name])?.ToString();
}
