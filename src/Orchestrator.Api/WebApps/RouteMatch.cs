using System.Text;
using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>Values of <see cref="Route.PathType"/> and <see cref="RouteRedirect.PathType"/>.</summary>
public static class PathTypes
{
    /// <summary>By whole segments: <c>/shop</c> has <c>/shop</c>, <c>/shop/</c> and <c>/shop/cart</c>.</summary>
    public const string Prefix = "Prefix";

    /// <summary>This path alone: <c>/shop</c> has no <c>/shop/</c>.</summary>
    public const string Exact = "Exact";
}

/// <summary>
/// What else a request must be, beside its host and path. All of it must hold; what does not hold for a request is passed over, and
/// the next route by precedence is asked (Gateway API, HTTPRouteMatch).
/// </summary>
public sealed class RouteMatch
{
    /// <summary>One of these, in capitals; any when empty. HEAD is not in GET.</summary>
    [JsonPropertyName("methods")]
    public IList<string>? Methods { get; set; }

    /// <summary>Each of these.</summary>
    [JsonPropertyName("headers")]
    public IList<HeaderMatch>? Headers { get; set; }

    /// <summary>Whether it says anything.</summary>
    [JsonIgnore]
    public bool IsEmpty => Methods is not { Count: > 0 } && Headers is not { Count: > 0 };

    /// <summary>
    /// The same text for what means the same, whatever the order: by it two routes are one place (<see cref="RouteClaim.Match"/>).
    /// Such as <c>GET HEAD x-version=2 x-user~^a.*</c>.
    /// </summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendJoin(' ', (Methods ?? []).Distinct().Order(StringComparer.Ordinal));
        foreach (var header in (Headers ?? []).OrderBy(header => header.Name.ToLowerInvariant(), StringComparer.Ordinal))
        {
            _ = text.Length == 0 ? text : text.Append(' ');
            text.Append(header.Name.ToLowerInvariant()).Append(header.IsPattern ? '~' : '=').Append(header.Value);
        }

        return text.ToString();
    }
}

/// <summary>A header that a request must have. Of one that comes several times, one value must fit.</summary>
public sealed class HeaderMatch
{
    /// <summary>In any case.</summary>
    [JsonPropertyName("name")]
    public string Name { get; set; } = "";

    /// <summary><see cref="HeaderMatchTypes"/>; default Exact.</summary>
    [JsonPropertyName("type")]
    public string? Type { get; set; }

    /// <summary>The value, or a <see cref="HeaderPattern"/> of it.</summary>
    [JsonPropertyName("value")]
    public string Value { get; set; } = "";

    [JsonIgnore]
    public bool IsPattern => Type == HeaderMatchTypes.RegularExpression;
}

/// <summary>Values of <see cref="HeaderMatch.Type"/>.</summary>
public static class HeaderMatchTypes
{
    public const string Exact = "Exact";
    public const string RegularExpression = "RegularExpression";
}
