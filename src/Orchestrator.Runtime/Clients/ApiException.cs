using System.Net;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Orchestrator.Runtime.Clients;

/// <summary>The API server answered with an error. <see cref="Exception.Message"/> is the server's own sentence.</summary>
public class ApiException(HttpStatusCode code, V1Status? status, Exception? inner)
    : Exception(status?.Message ?? $"the API server answered {(int)code} {code}", inner)
{
    public HttpStatusCode Code { get; } = code;

    /// <summary>The server's Status object; null when the answer was none (a proxy in between, say).</summary>
    public V1Status? Status { get; } = status;

    internal static ApiException From(HttpOperationException failure)
    {
        var status = ParseStatus(failure.Response.Content);
        return failure.Response.StatusCode switch
        {
            HttpStatusCode.NotFound => new NotFoundException(status, failure),
            HttpStatusCode.Conflict when status?.Reason == "AlreadyExists" => new AlreadyExistsException(status, failure),
            HttpStatusCode.Conflict => new ConflictException(status, failure),
            var code => new ApiException(code, status, failure),
        };
    }

    private static V1Status? ParseStatus(string? content)
    {
        try
        {
            return string.IsNullOrEmpty(content) ? null : KubernetesJson.Deserialize<V1Status>(content);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>There is no such object (404).</summary>
public sealed class NotFoundException(V1Status? status, Exception? inner) : ApiException(HttpStatusCode.NotFound, status, inner);

/// <summary>The object has changed since it was read, or a precondition failed (409): read it again and decide anew.</summary>
public sealed class ConflictException(V1Status? status, Exception? inner) : ApiException(HttpStatusCode.Conflict, status, inner);

/// <summary>An object of this name exists (409 on create).</summary>
public sealed class AlreadyExistsException(V1Status? status, Exception? inner) : ApiException(HttpStatusCode.Conflict, status, inner);
