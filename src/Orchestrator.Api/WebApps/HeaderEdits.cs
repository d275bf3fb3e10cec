using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>Changes of headers: first some are removed, then some set, then some added. A name is in one of the three.</summary>
public sealed class HeaderEdits
{
    /// <summary>In place of what is there.</summary>
    [JsonPropertyName("set")]
    public IList<HeaderValue>? Set { get; set; }

    /// <summary>Beside what is there.</summary>
    [JsonPropertyName("add")]
    public IList<HeaderValue>? Add { get; set; }

    /// <summary>Names.</summary>
    [JsonPropertyName("remove")]
    public IList<string>? Remove { get; set; }

    [JsonIgnore]
    public bool IsEmpty => Set is not { Count: > 0 } && Add is not { Count: > 0 } && Remove is not { Count: > 0 };
}

/// <summary>A header.</summary>
public sealed class HeaderValue
{
    [JsonPropertyName("name")]
    public string Name { get; set; } = "";

    [JsonPropertyName("value")]
    public string Value { get; set; } = "";
}

/// <summary>Headers that routes leave alone.</summary>
public static class ReservedHeaders
{
    // They say where a message ends or are for one connection: not the route's to change (RFC 9110, 7.6.1).
    private static readonly HashSet<string> OfConnections = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
    };

    /// <summary>For people, why a route may not change this header; null: it may.</summary>
    public static string? WhyNot(string name) =>
        OfConnections.Contains(name) ? "is the proxy's: it says how a message is sent"
        : name.Equals("Host", StringComparison.OrdinalIgnoreCase) ? "is set by rewrite.host"
        : null;
}
