using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>A number that a Prometheus server knows.</summary>
public sealed class PrometheusQuery
{
    /// <summary>Of the server, http or https, with a path if it is not at its root. No login.</summary>
    [JsonPropertyName("address")]
    public string Address { get; set; } = "";

    /// <summary>PromQL that gives one number.</summary>
    [JsonPropertyName("query")]
    public string Query { get; set; } = "";
}
