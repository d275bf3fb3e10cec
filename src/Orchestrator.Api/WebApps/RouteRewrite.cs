using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>What replicas get instead of what the client asked for. X-Forwarded-Host still has the client's host.</summary>
public sealed class RouteRewrite
{
    /// <summary>
    /// Takes the place of <see cref="Route.Path"/> at the beginning of a request's path, of all of it when that is Exact. "/" takes
    /// the prefix away: with <c>/api</c>, <c>/api/users</c> becomes <c>/users</c>. Null: left as it is.
    /// </summary>
    [JsonPropertyName("path")]
    public string? Path { get; set; }

    /// <summary>The Host that replicas see. Null: left as it is.</summary>
    [JsonPropertyName("host")]
    public string? Host { get; set; }
}
