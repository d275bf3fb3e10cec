using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Exceptions;
using k8s.Models;
using Orchestrator.Cli.Manifests;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Connection;

/// <summary>
/// Requests for any kind the server has, as untyped JSON: the user commands know kinds by discovery only. Credentials and TLS
/// are those of the Kubernetes client.
/// </summary>
internal sealed class ApiConnection : IDisposable
{
    public const string Json = "application/json";
    public const string MergePatch = "application/merge-patch+json";
    public const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

    /// <summary>For one answer; a watch has none. Kubernetes' own requests end after 60 s on the server's side.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(65);

    private readonly KubernetesClientConfiguration _configuration;
    private readonly Action<string> _warn;

    /// <param name="warn">Called with what the server warns of in an answer's headers.</param>
    public ApiConnection(KubernetesClientConfiguration configuration, Action<string> warn)
    {
        configuration.HttpClientTimeout = Timeout.InfiniteTimeSpan;
        configuration.UserAgent = "orc/" + ProductVersion.Text;
        _configuration = configuration;
        _warn = warn;
        Client = new Kubernetes(configuration);
    }

    public Kubernetes Client { get; }

    public Uri Address => Client.BaseUri;

    /// <summary>The same for messages: without the slash that Uri adds.</summary>
    public string Where => Address.AbsoluteUri.TrimEnd('/');

    /// <exception cref="ApiException">The server answered with an error.</exception>
    /// <exception cref="CommandException">The server cannot be reached.</exception>
    public Task<JsonObject> GetAsync(string path, CancellationToken cancellationToken, string accept = Json) =>
        SendAsync(HttpMethod.Get, path, null, Json, cancellationToken, accept);

    /// <inheritdoc cref="GetAsync" path="/exception"/>
    public async Task<JsonObject> SendAsync(
        HttpMethod method, string path, JsonNode? body, string contentType, CancellationToken cancellationToken, string accept = Json)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerTimeout);
        try
        {
            using var request = Request(method, path, accept);
            if (body is not null)
            {
                request.Content = new StringContent(GoJson.Write(body), Encoding.UTF8, MediaTypeHeaderValue.Parse(contentType));
            }

            using var response = await OpenAsync(request, limit.Token);
            await using var content = await response.Content.ReadAsStreamAsync(limit.Token);
            return await JsonNode.ParseAsync(content, cancellationToken: limit.Token) as JsonObject
                ?? throw CommandException.Failed($"{Where} answered {path} with something that is no JSON object");
        }
        catch (JsonException)
        {
            throw CommandException.Failed($"{Where} answered {path} with something that is no JSON: is it a Kubernetes API server?");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw Unreachable(failure);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException(ExitCodes.Unreachable, $"the API server at {Where} did not answer within {AnswerTimeout.TotalSeconds:0} s");
        }
    }

    /// <summary>Events of a watch until the server ends it or the stream breaks: then call again.</summary>
    /// <inheritdoc cref="GetAsync" path="/exception"/>
    public async IAsyncEnumerable<JsonObject> WatchAsync(
        string path, [EnumeratorCancellation] CancellationToken cancellationToken, string accept = Json)
    {
        using var request = Request(HttpMethod.Get, path, accept);
        HttpResponseMessage response;
        try
        {
            response = await OpenAsync(request, cancellationToken);
        }
        catch (HttpRequestException failure)
        {
            throw Unreachable(failure);
        }

        using (response)
        using (var lines = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken)))
        {
            while (await NextLine(lines, cancellationToken) is { } line)
            {
                if (JsonNode.Parse(line) is JsonObject change)
                {
                    yield return change;
                }
            }
        }
    }

    public void Dispose() => Client.Dispose();

    private static async Task<string?> NextLine(StreamReader lines, CancellationToken cancellationToken)
    {
        try
        {
            return await lines.ReadLineAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException)
        {
            // A server that restarts cuts the stream: for the caller that is its end.
            return null;
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path, string accept)
    {
        var request = new HttpRequestMessage(method, new Uri(Address.AbsoluteUri.TrimEnd('/') + path));
        request.Headers.TryAddWithoutValidation("Accept", accept);
        request.Headers.TryAddWithoutValidation("User-Agent", _configuration.UserAgent);
        return request;
    }

    private async Task<HttpResponseMessage> OpenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (Client.Credentials is { } credentials)
        {
            try
            {
                await credentials.ProcessHttpRequestAsync(request, cancellationToken);
            }
            catch (KubeConfigException failure)
            {
                throw new CommandException(ExitCodes.Unreachable, $"the kubeconfig's credential plugin failed: {failure.Message}", failure);
            }
        }

        var response = await Client.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.Headers.TryGetValues("Warning", out var warnings))
        {
            // RFC 7234: 299 - "text"
            foreach (var warning in warnings)
            {
                _warn(warning.Split('"') is [_, var text, ..] ? text : warning);
            }
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw ErrorOf(response, await response.Content.ReadAsStringAsync(cancellationToken));
        }
    }

    private static ApiException ErrorOf(HttpResponseMessage response, string content)
    {
        V1Status? status = null;
        try
        {
            status = content.Length > 0 ? KubernetesJson.Deserialize<V1Status>(content) : null;
        }
        catch (JsonException)
        {
            // Not a Kubernetes API server, or a proxy in between: the code alone must do.
        }

        return (int)response.StatusCode switch
        {
            404 => new NotFoundException(status, null),
            409 when status?.Reason == "AlreadyExists" => new AlreadyExistsException(status, null),
            409 => new ConflictException(status, null),
            _ => new ApiException(response.StatusCode, status, null),
        };
    }

    private CommandException Unreachable(Exception failure) => new(
        ExitCodes.Unreachable,
        $"cannot reach the API server at {Where}: {Failures.Reason(failure)}{(Address.IsLoopback ? "; is `orc serve` running?" : "")}",
        failure);
}
