using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Schema.Kinds;

namespace Orchestrator.ApiServer.Tables;

/// <summary>The columns that kube-apiserver prints for its own kinds (<c>pkg/printers/internalversion</c>).</summary>
internal static class BuiltinColumns
{
    public const string NameDescription = "Name, unique among objects of the kind in the namespace.";
    private const string AgeDescription = "Time since creation.";

    public static readonly TableColumn Name = new("Name", "string", "name", NameDescription, 0, (resource, _) => Meta(resource).Text("name") ?? "");

    public static readonly TableColumn Age = Text("Age", AgeDescription, (resource, now) =>
        HumanDuration.Since(Meta(resource).Text("creationTimestamp"), now));

    /// <returns>All columns, the name's included; null for a kind that has none of its own.</returns>
    public static IReadOnlyList<TableColumn>? Find(string group, string kind) => (group, kind) switch
    {
        ("", "Namespace") => [Name, Text("Status", "Active or Terminating.", (resource, _) => resource.Object("status").Text("phase") ?? ""), Age],
        ("", "Secret") =>
        [
            Name,
            Text("Type", "What is in it.", (resource, _) => resource.Text("type") ?? ""),
            Text("Data", "How many values are in it.", (resource, _) => Count(resource, "data")),
            Age,
        ],
        ("", "ConfigMap") =>
        [
            Name,
            Text("Data", "How many values are in it.", (resource, _) => Count(resource, "data", "binaryData")),
            Age,
        ],
        ("", "Event") => EventColumns.All,
        ("coordination.k8s.io", "Lease") =>
            [Name, Text("Holder", "Who holds it.", (resource, _) => resource.Object("spec").Text("holderIdentity") ?? ""), Age],
        ("apps", "ControllerRevision") =>
        [
            Name,
            Text("Controller", "The object that manages it.", (resource, _) => Controller(resource)),
            Text("Revision", "Number of the state.", (resource, _) => (resource.Integer("revision") ?? 0).ToString(CultureInfo.InvariantCulture)),
            Age,
        ],
        ("apiextensions.k8s.io", "CustomResourceDefinition") =>
        [
            Name,
            new TableColumn("Created At", "date", "", "When it was created.", 0, (resource, _) => Meta(resource).Text("creationTimestamp") ?? "<unknown>"),
        ],
        _ => null,
    };

    /// <summary>kube-apiserver's own kinds show everything as text; only custom columns have types.</summary>
    public static TableColumn Text(string name, string description, Func<JsonObject, DateTimeOffset, JsonNode?> cell, int priority = 0) =>
        new(name, "string", "", description, priority, cell);

    private static JsonObject? Meta(JsonObject resource) => resource.Object("metadata");

    private static JsonNode Count(JsonObject resource, params ReadOnlySpan<string> fields)
    {
        long count = 0;
        foreach (var field in fields)
        {
            count += resource.Object(field)?.Count ?? 0;
        }

        return count;
    }

    private static string Controller(JsonObject resource)
    {
        var owner = Meta(resource).Items("ownerReferences").Select(each => each.Item as JsonObject).FirstOrDefault(each => each.Flag("controller"));
        if (owner is null)
        {
            return "<none>";
        }

        var (apiVersion, kind) = (owner.Text("apiVersion") ?? "", owner.Text("kind")?.ToLowerInvariant());
        var group = apiVersion.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? "." + apiVersion[..slash] : "";
        return $"{kind}{group}/{owner.Text("name")}";
    }
}
