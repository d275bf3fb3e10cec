using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Connection;

/// <summary>A kind the server serves, as its discovery describes it.</summary>
internal sealed record ResourceKind(
    string Group,
    string Version,
    string Kind,
    string Plural,
    string Singular,
    bool Namespaced,
    IReadOnlyList<string> ShortNames,
    IReadOnlyList<string> Categories,
    IReadOnlyList<string> Verbs)
{
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>How kubectl names the type of an object: <c>webapp.orchestrator.dev</c>, <c>secret</c>.</summary>
    public string Label => Group.Length == 0 ? Kind.ToLowerInvariant() : $"{Kind.ToLowerInvariant()}.{Group}";

    /// <param name="namespace">Null means all; not used for cluster-wide kinds.</param>
    /// <param name="name">Null means the collection.</param>
    public string Path(string? @namespace, string? name, string? subresource = null)
    {
        var root = Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";
        return root
            + (Namespaced && @namespace is not null ? $"/namespaces/{Uri.EscapeDataString(@namespace)}" : "")
            + "/" + Plural
            + (name is null ? "" : "/" + Uri.EscapeDataString(name))
            + (subresource is null ? "" : "/" + subresource);
    }

    public bool Answers(string type)
    {
        var (name, group) = type.IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot ? (type[..dot], type[(dot + 1)..]) : (type, null);
        return (group is null || group == Group || group == $"{Version}.{Group}")
            && (name == Plural || name == Singular || name.Equals(Kind, StringComparison.OrdinalIgnoreCase) || ShortNames.Contains(name));
    }

    /// <param name="resource">An entry of an APIResourceList.</param>
    /// <param name="groupVersion">The list's <c>groupVersion</c>.</param>
    public static ResourceKind Parse(JsonObject resource, string groupVersion)
    {
        var slash = groupVersion.IndexOf('/', StringComparison.Ordinal);
        var kind = (string?)resource["kind"] ?? "";
        return new(
            slash < 0 ? "" : groupVersion[..slash],
            groupVersion[(slash + 1)..],
            kind,
            (string?)resource["name"] ?? "",
            (string?)resource["singularName"] is { Length: > 0 } singular ? singular : kind.ToLowerInvariant(),
            (bool?)resource["namespaced"] ?? false,
            Strings(resource["shortNames"]),
            Strings(resource["categories"]),
            Strings(resource["verbs"]));
    }

    private static string[] Strings(JsonNode? list) => list is JsonArray items ? [.. items.Select(item => (string?)item ?? "")] : [];
}
