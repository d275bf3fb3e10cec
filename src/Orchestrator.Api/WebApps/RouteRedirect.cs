using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// Requests that are sent elsewhere instead of to a replica, such as those for <c>www.example.org</c> or for paths of old. The
/// hosts and the path are the app's like those of the route itself.
/// </summary>
public sealed class RouteRedirect
{
    public const int DefaultStatus = 302;

    /// <summary>Host names as in <see cref="Route.Hosts"/>; those of the route when empty.</summary>
    [JsonPropertyName("hosts")]
    public IList<string>? Hosts { get; set; }

    /// <summary>Default "/".</summary>
    [JsonPropertyName("path")]
    public string? Path { get; set; }

    /// <summary><see cref="PathTypes"/>; default Prefix.</summary>
    [JsonPropertyName("pathType")]
    public string? PathType { get; set; }

    /// <summary>
    /// <c>https://example.org</c>, with a path or without, or a path alone. What follows the prefix in the request's path comes after
    /// it, and the query.
    /// </summary>
    [JsonPropertyName("to")]
    public string To { get; set; } = "";

    /// <summary>301, 302, 303, 307 or 308. Default 302: browsers keep 301 and 308 for ever, mistakes too.</summary>
    [JsonPropertyName("status")]
    public int? Status { get; set; }
}
