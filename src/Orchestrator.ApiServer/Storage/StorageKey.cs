namespace Orchestrator.ApiServer.Storage;

/// <summary>Where an object is kept.</summary>
/// <param name="Resource">Plural and group: <c>webapps.orchestrator.dev</c>, <c>secrets</c>.</param>
/// <param name="Namespace">Empty for a cluster-wide resource.</param>
public readonly record struct StorageKey(string Resource, string Namespace, string Name)
{
    public override string ToString() => Namespace.Length == 0 ? $"{Resource}/{Name}" : $"{Resource}/{Namespace}/{Name}";
}
