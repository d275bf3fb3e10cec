using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using Orchestrator.Api.Contents;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.WebApps.Contents;

/// <summary>
/// What the ConfigMaps and Secrets that an app refers to hold now. They are read when the informers say that one has changed;
/// between that only their versions and the hash are remembered, never what they hold.
/// </summary>
internal sealed class LiveContents(SharedInformers informers, ContentClient client)
{
    private readonly ConcurrentDictionary<ObjectKey, Known> _known = new();

    public void Forget(ObjectKey app) => _known.TryRemove(app, out _);

    /// <summary>The hash, or what is wrong; the content itself only when it had to be read.</summary>
    public async Task<ContentResolution> LookAsync(WebApp app, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(app);
        var objects = ObjectsOf(app);
        if (_known.TryGetValue(key, out var known) && known.Generation == (app.Metadata.Uid, app.Metadata.Generation)
            && known.Versions == string.Join('\n', objects.Select(obj => VersionOf(app, obj))))
        {
            return known.Resolution;
        }

        return await ReadAsync(app, cancellationToken);
    }

    /// <summary>The same, always with the content if all is well.</summary>
    public async Task<ContentResolution> ReadAsync(WebApp app, CancellationToken cancellationToken)
    {
        var sources = new Dictionary<ContentObject, SourceContent?>();
        foreach (var obj in ObjectsOf(app))
        {
            sources[obj] = await GetAsync(new(app.Metadata.NamespaceProperty, obj.Name), obj.Kind, cancellationToken);
        }

        var resolution = ContentResolution.Of(app.Spec, sources);
        _known[ObjectKey.Of(app)] = new(
            (app.Metadata.Uid, app.Metadata.Generation),
            string.Join('\n', sources.Values.Select(source => source?.Version)),
            resolution with { Content = null });
        return resolution;
    }

    private static IReadOnlyList<ContentObject> ObjectsOf(WebApp app) => [.. app.Spec.References.Select(reference => reference.Object).Distinct()];

    private string? VersionOf(WebApp app, ContentObject obj)
    {
        var key = new ObjectKey(app.Metadata.NamespaceProperty, obj.Name);
        IKubernetesObject<V1ObjectMeta>? found = obj.Kind == ContentKind.ConfigMap ? informers.ConfigMaps.Get(key) : informers.Secrets.Get(key);
        return found is null ? null : SourceContent.VersionOf(found.Metadata);
    }

    private async Task<SourceContent?> GetAsync(ObjectKey key, ContentKind kind, CancellationToken cancellationToken) => kind == ContentKind.ConfigMap
        ? await client.GetConfigMapAsync(key, cancellationToken) is { } map ? SourceContent.Of(map) : null
        : await client.GetSecretAsync(key, cancellationToken) is { } secret ? SourceContent.Of(secret) : null;

    /// <param name="Versions">Of the objects in the order of the references; empty for one that does not exist.</param>
    private sealed record Known((string Uid, long? Generation) Generation, string Versions, ContentResolution Resolution);
}
