using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Orchestrator.Testing.Lab;

namespace Orchestrator.Benchmarks.Converging;

/// <summary>An engine's API as the agent reaches it, mutual TLS and pooled connections, and nothing in between.</summary>
internal sealed class EngineApi : IDisposable
{
    private readonly HttpClient _http;

    public EngineApi(LabHost host, LabTls tls)
    {
        var authority = X509CertificateLoader.LoadCertificateFromFile(tls.Ca);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(authority);
        Name = host.Name;
        _http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificates = [X509Certificate2.CreateFromPemFile(tls.Certificate, tls.Key)],
                CertificateChainPolicy = policy,
            },
        })
        {
            BaseAddress = new Uri($"https://{host.Address}:2376/v1.41/"),
        };
    }

    public string Name { get; }

    /// <summary>What the engine was asked to create, read back from what it made of it: fit to be sent again.</summary>
    public async Task<CreateRequest> ReadBackAsync(string container)
    {
        var inspected = (await _http.GetFromJsonAsync<JsonNode>($"containers/{container}/json"))!;
        var body = inspected["Config"]!.DeepClone().AsObject();
        body["HostConfig"] = inspected["HostConfig"]!.DeepClone();
        return new CreateRequest(Name, inspected["Name"]!.GetValue<string>().TrimStart('/'), body);
    }

    public async Task<string> CreateAndStartAsync(CreateRequest request)
    {
        using var created = await _http.PostAsJsonAsync($"containers/create?name={request.Name}", request.Body);
        await Require(created);
        var id = (await created.Content.ReadFromJsonAsync<JsonNode>())!["Id"]!.GetValue<string>();
        using var started = await _http.PostAsync($"containers/{id}/start", null);
        await Require(started);
        return id;
    }

    public async Task RemoveAsync(string container)
    {
        using var removed = await _http.DeleteAsync($"containers/{container}?force=1");
        await Require(removed);
    }

    public async Task PullAsync(string image)
    {
        using var pulled = await _http.PostAsync($"images/create?fromImage={Uri.EscapeDataString(image)}", null);
        await Require(pulled);
        await pulled.Content.ReadAsStringAsync();
    }

    public void Dispose() => _http.Dispose();

    private static async Task Require(HttpResponseMessage answer)
    {
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{answer.RequestMessage!.RequestUri}: {await answer.Content.ReadAsStringAsync()}");
        }
    }
}

/// <param name="Host">The host it was made on.</param>
internal sealed record CreateRequest(string Host, string Name, JsonObject Body);
