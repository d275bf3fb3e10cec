using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Orchestrator.Testing.Lab;

namespace Orchestrator.Benchmarks.Engines;

/// <summary>An engine's API as the agent reaches it, mutual TLS and pooled connections, and nothing in between.</summary>
internal sealed class EngineApi : IDisposable
{
    private readonly HttpClient _http;

    public EngineApi(LabHost host, LabTls tls)
    {
        var authority = X509CertificateLoader.LoadCertificateFromFile(tls.Ca);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(authority);
        Host = host;
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

    public LabHost Host { get; }

    /// <summary>What the engine was asked to create, read back from what it made of it: fit to be sent again.</summary>
    public async Task<CreateRequest> ReadBackAsync(string container)
    {
        var inspected = (await _http.GetFromJsonAsync<JsonNode>($"containers/{container}/json"))!;
        var body = inspected["Config"]!.DeepClone().AsObject();
        body["HostConfig"] = inspected["HostConfig"]!.DeepClone();
        return new CreateRequest(this, inspected["Name"]!.GetValue<string>().TrimStart('/'), body);
    }

    public async Task CreateAndStartAsync(CreateRequest request)
    {
        using var created = await RequireAsync(await _http.PostAsJsonAsync($"containers/create?name={request.Name}", request.Body));
        var id = (await created.Content.ReadFromJsonAsync<JsonNode>())!["Id"]!.GetValue<string>();
        using var started = await RequireAsync(await _http.PostAsync($"containers/{id}/start", null));
    }

    /// <returns>Ids of all containers with this label, running or not.</returns>
    /// <param name="label">A key, or <c>key=value</c>.</param>
    public async Task<IReadOnlyList<string>> ContainersAsync(string label) =>
        [.. (await ListAsync(label, CancellationToken.None)).Select(container => container!["Id"]!.GetValue<string>())];

    /// <returns>Image and state (<c>running</c>, <c>exited</c>, …) of each container with this label.</returns>
    /// <param name="label">A key, or <c>key=value</c>.</param>
    public async Task<IReadOnlyList<(string Image, string State)>> ImagesAsync(string label, CancellationToken cancellationToken) =>
    [
        .. (await ListAsync(label, cancellationToken)).Select(
            container => (container!["Image"]!.GetValue<string>().Split('@')[0], container["State"]!.GetValue<string>())),
    ];

    /// <summary>By force; one that is gone or going already is fine.</summary>
    public async Task RemoveAsync(string container)
    {
        using var removed = await _http.DeleteAsync($"containers/{container}?force=1");
        if (removed.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.Conflict))
        {
            await RequireAsync(removed);
        }
    }

    public async Task PullAsync(string image)
    {
        using var pulled = await RequireAsync(await _http.PostAsync($"images/create?fromImage={Uri.EscapeDataString(image)}", null));
        await pulled.Content.ReadAsStringAsync();

        // A pull reports failures inside its stream; the image is there, or not.
        using var inspected = await RequireAsync(await _http.GetAsync($"images/{image}/json"));
    }

    /// <summary>What happened to containers with this label, in order: the event, and when.</summary>
    public async Task<IReadOnlyList<EngineEvent>> EventsAsync(string label, DateTimeOffset since, DateTimeOffset until)
    {
        var filters = Uri.EscapeDataString(new JsonObject
        {
            ["type"] = new JsonArray("container"), ["event"] = new JsonArray("create", "start"), ["label"] = new JsonArray(label),
        }.ToJsonString());
        var lines = await _http.GetStringAsync($"events?since={Seconds(since)}&until={Seconds(until)}&filters={filters}");
        return
        [
            .. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).Select(happened => new EngineEvent(
                happened["Action"]!.GetValue<string>(),
                DateTimeOffset.UnixEpoch.AddTicks(happened["timeNano"]!.GetValue<long>() / TimeSpan.NanosecondsPerTick))),
        ];

        static string Seconds(DateTimeOffset time) =>
            (time.ToUnixTimeMilliseconds() / 1000.0).ToString("F3", System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Running tasks of each Swarm service by its name, as the manager counts them.</summary>
    public async Task<IReadOnlyDictionary<string, int>> RunningTasksAsync(CancellationToken cancellationToken)
    {
        var services = await _http.GetFromJsonAsync<JsonArray>("services?status=true", cancellationToken);
        return services!.ToDictionary(
            service => service!["Spec"]!["Name"]!.GetValue<string>(), service => service!["ServiceStatus"]!["RunningTasks"]!.GetValue<int>());
    }

    public void Dispose() => _http.Dispose();

    private async Task<JsonArray> ListAsync(string label, CancellationToken cancellationToken)
    {
        var filters = Uri.EscapeDataString(new JsonObject { ["label"] = new JsonArray(label) }.ToJsonString());
        return (await _http.GetFromJsonAsync<JsonArray>($"containers/json?all=1&filters={filters}", cancellationToken))!;
    }

    private static async Task<HttpResponseMessage> RequireAsync(HttpResponseMessage answer) => answer.IsSuccessStatusCode
        ? answer
        : throw new InvalidOperationException($"{answer.RequestMessage!.RequestUri}: {await answer.Content.ReadAsStringAsync()}");
}

/// <param name="Engine">The one it was made on.</param>
internal sealed record CreateRequest(EngineApi Engine, string Name, JsonObject Body);

internal sealed record EngineEvent(string Action, DateTimeOffset Time);
