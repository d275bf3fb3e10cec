using Orchestrator.ApiServer.Resources;

namespace Orchestrator.ApiServer.Objects;

/// <summary>The resources whose objects are stored.</summary>
internal sealed class ServedResources
{
    private readonly Dictionary<string, ServedResource> _byName;

    public ServedResources(ResourceRegistry registry)
    {
        All = [.. registry.All.Where(definition => definition.Verbs.Contains("get")).Select(definition => new ServedResource(definition))];
        _byName = All.ToDictionary(resource => resource.Definition.GroupResource, StringComparer.Ordinal);
        Namespaces = _byName["namespaces"];
        CustomResourceDefinitions = _byName["customresourcedefinitions.apiextensions.k8s.io"];
        Events = _byName["events"];
    }

    public IReadOnlyList<ServedResource> All { get; }

    public ServedResource Namespaces { get; }

    public ServedResource CustomResourceDefinitions { get; }

    public ServedResource Events { get; }

    /// <param name="name">Plural and group, as in <see cref="Storage.StorageKey.Resource"/>.</param>
    public ServedResource? Find(string name) => _byName.GetValueOrDefault(name);

    public bool HasKind(string apiVersion, string kind) =>
        All.Any(resource => resource.Definition.Kind == kind && resource.Definition.ApiVersion == apiVersion);
}
