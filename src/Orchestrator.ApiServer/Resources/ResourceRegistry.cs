namespace Orchestrator.ApiServer.Resources;

/// <summary>The resources the server serves. Immutable.</summary>
public sealed class ResourceRegistry
{
    private readonly Dictionary<(string Group, string Version, string Plural), ResourceDefinition> _byPath;

    /// <param name="resources">In the order in which discovery shows them.</param>
    public ResourceRegistry(IReadOnlyList<ResourceDefinition> resources)
    {
        All = resources;
        _byPath = resources.ToDictionary(resource => (resource.Group, resource.Version, resource.Plural));
    }

    public IReadOnlyList<ResourceDefinition> All { get; }

    /// <param name="group">Empty for the core group.</param>
    public ResourceDefinition? Find(string group, string version, string plural) =>
        _byPath.GetValueOrDefault((group, version, plural));

    public bool HasVersion(string group, string version) =>
        All.Any(resource => resource.Group == group && resource.Version == version);
}
