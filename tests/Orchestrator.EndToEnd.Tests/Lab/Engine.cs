using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Orchestrator.EndToEnd.Tests.Lab;

/// <summary>A host's engine as the tests see it: through its unix socket, past everything of ours.</summary>
internal sealed class Engine(string name, string socket) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        },
    })
    {
        BaseAddress = new Uri("http://docker/v1.41/"),
    };

    public string Name { get; } = name;

    /// <summary>All containers, those that do not run too.</summary>
    public async Task<IReadOnlyList<Container>> ContainersAsync()
    {
        var listed = await _http.GetFromJsonAsync<JsonArray>("containers/json?all=1");
        return [.. listed!.Select(container => Container.Read(Name, container!))];
    }

    public async Task<JsonNode> InspectAsync(string container) =>
        (await _http.GetFromJsonAsync<JsonNode>($"containers/{container}/json"))!;

    /// <summary><c>docker rm -f</c>; one that is gone already is fine.</summary>
    public async Task RemoveAsync(string container)
    {
        using var answer = await _http.DeleteAsync($"containers/{container}?force=1");
        if (answer.StatusCode is not (System.Net.HttpStatusCode.NotFound or System.Net.HttpStatusCode.Conflict))
        {
            answer.EnsureSuccessStatusCode();
        }
    }

    /// <summary>SIGKILL to its process; one that does not run is fine.</summary>
    public async Task KillAsync(string container)
    {
        using var answer = await _http.PostAsync($"containers/{container}/kill", null);
        if (answer.StatusCode is not (System.Net.HttpStatusCode.NotFound or System.Net.HttpStatusCode.Conflict))
        {
            answer.EnsureSuccessStatusCode();
        }
    }

    /// <summary>Where it keeps all that it stores, downloads under way too.</summary>
    public async Task<string> DataFolderAsync() => (await _http.GetFromJsonAsync<JsonNode>("info"))!["DockerRootDir"]!.GetValue<string>();

    /// <summary>One that is not there is fine.</summary>
    public async Task RemoveImageAsync(string image)
    {
        using var answer = await _http.DeleteAsync($"images/{image}?force=1");
        if (answer.StatusCode is not System.Net.HttpStatusCode.NotFound)
        {
            answer.EnsureSuccessStatusCode();
        }
    }

    /// <summary>Starts a container that nobody but the test knows.</summary>
    public Task<string> RunAsync(string containerName, string image, IReadOnlyDictionary<string, string>? labels = null) =>
        RunAsync(containerName, image, new { Image = image, Labels = labels ?? new Dictionary<string, string>() });

    /// <summary>Starts a sample server that listens on a port of the host itself.</summary>
    public Task<string> RunOnHostNetworkAsync(string containerName, string image, int port) =>
        RunAsync(containerName, image, new { Image = image, Env = new[] { $"PORT={port}" }, HostConfig = new { NetworkMode = "host" } });

    private async Task<string> RunAsync(string containerName, string image, object body)
    {
        using var pulled = await _http.PostAsync($"images/create?fromImage={Uri.EscapeDataString(image)}", null);
        await pulled.Content.ReadAsStringAsync();
        using var created = await _http.PostAsJsonAsync($"containers/create?name={containerName}", body);
        created.EnsureSuccessStatusCode();
        var id = (await created.Content.ReadFromJsonAsync<JsonNode>())!["Id"]!.GetValue<string>();
        using var started = await _http.PostAsync($"containers/{id}/start", null);
        started.EnsureSuccessStatusCode();
        return id;
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>A container as an engine lists it.</summary>
internal sealed record Container(string Host, string Id, string Name, string State, IReadOnlyDictionary<string, string> Labels)
{
    public static Container Read(string host, JsonNode listed) => new(
        host,
        listed["Id"]!.GetValue<string>(),
        listed["Names"]![0]!.GetValue<string>().TrimStart('/'),
        listed["State"]!.GetValue<string>(),
        listed["Labels"]!.AsObject().ToDictionary(label => label.Key, label => label.Value!.GetValue<string>()));
}
