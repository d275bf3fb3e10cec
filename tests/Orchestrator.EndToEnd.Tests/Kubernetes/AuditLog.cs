using System.Text.Json.Nodes;

namespace Orchestrator.EndToEnd.Tests.Kubernetes;

/// <summary>What a service account asked of the API server, as the server wrote it down.</summary>
internal sealed class AuditLog(string file, string account)
{
    /// <summary>The rights it lacked, as <c>verb resource.group/subresource</c>.</summary>
    public IReadOnlySet<string> Refused() =>
        Requests().Where(request => request["responseStatus"]?["code"]?.GetValue<int>() == 403).Select(Right).ToHashSet();

    /// <summary>The rights it made use of.</summary>
    public IReadOnlySet<string> Used() => Requests().Select(Right).ToHashSet();

    private IEnumerable<JsonNode> Requests() => File.ReadLines(file)
        .Select(line => JsonNode.Parse(line)!)
        .Where(entry => entry["user"]?["username"]?.GetValue<string>() == account && entry["objectRef"]?["resource"] is not null);

    private static string Right(JsonNode request)
    {
        var what = request["objectRef"]!;
        var group = what["apiGroup"] is { } name ? "." + name : "";
        var part = what["subresource"] is { } subresource ? "/" + subresource : "";
        return $"{request["verb"]} {what["resource"]}{group}{part}";
    }
}
