using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Schema;
using Orchestrator.ApiServer.Storage;
using Orchestrator.ApiServer.Tables;

namespace Orchestrator.ApiServer.Objects;

/// <summary>A resource with the rules for its objects, read on first use.</summary>
internal sealed class ServedResource(ResourceDefinition definition)
{
    private readonly Lazy<ResourceSchema> _schema = new(() => new ResourceSchema(definition));

    private readonly Lazy<ResourceTable> _table = new(() => new ResourceTable(definition));

    public ResourceDefinition Definition { get; } = definition;

    public ResourceSchema Schema => _schema.Value;

    public ResourceTable Table => _table.Value;

    public bool IsNamespace => Definition is { Group: "", Kind: "Namespace" };

    public StorageKey Key(string @namespace, string name) => new(Definition.GroupResource, @namespace, name);
}
