using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Selectors;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Objects;

/// <summary>Which objects of a resource a list, a watch or a deletecollection is about.</summary>
/// <param name="Namespace">Null for all.</param>
/// <param name="Name">Null for all.</param>
internal sealed record ObjectSelector(string? Namespace, string? Name, LabelSelector Labels, FieldSelector Fields)
{
    /// <summary>Names the fields that a request may select by, for this resource.</summary>
    public static IReadOnlyList<string> FieldsOf(ServedResource resource) =>
        ["metadata.name", "metadata.namespace", .. resource.Definition.SelectableFields];

    public bool HasSelectors => !Labels.IsEverything || !Fields.IsEverything;

    /// <summary>Whether the key alone tells that an object is not meant.</summary>
    public bool Covers(StorageKey key) => (Namespace is null || key.Namespace == Namespace) && (Name is null || key.Name == Name);

    public bool Matches(StoredObject obj) => Covers(obj.Key) && (!HasSelectors || Matches(JsonText.Parse(obj.Json)));

    /// <param name="obj">One that is covered.</param>
    public bool Matches(JsonObject obj) => Labels.Matches(Metadata.Of(obj)["labels"] as JsonObject) && Fields.Matches(obj);
}
