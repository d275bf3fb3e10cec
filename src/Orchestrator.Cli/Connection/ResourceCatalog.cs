using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Connection;

/// <summary>
/// The kinds of the server, asked for as far as needed: our own group and the core one answer nearly every command with one
/// round trip; the rest is read when a name is in neither.
/// </summary>
internal sealed class ResourceCatalog(ApiConnection api)
{
    private const string Core = "v1";

    private readonly Dictionary<string, IReadOnlyList<ResourceKind>> _known = [];
    private bool _complete;

    /// <summary>Kinds by a name that people type: plural, singular, kind, short name, with or without group, or a category.</summary>
    /// <exception cref="CommandException">The server knows no such name.</exception>
    public async Task<IReadOnlyList<ResourceKind>> FindAsync(string type, CancellationToken cancellationToken)
    {
        await Task.WhenAll(ReadAsync(ApiGroup.GroupVersion, cancellationToken), ReadAsync(Core, cancellationToken));
        if (Named(type) is { } near)
        {
            return [near];
        }

        await ReadAllAsync(cancellationToken);
        if (Named(type) is { } far)
        {
            return [far];
        }

        var members = _known.Values.SelectMany(kinds => kinds).Where(kind => kind.Categories.Contains(type)).ToList();
        return members.Count > 0
            ? members
            : throw CommandException.Usage($"the server has no kind \"{type}\"; it has: {string.Join(", ", KnownNames())}");
    }

    /// <summary>The kind by the name that a manifest has.</summary>
    /// <exception cref="CommandException">The server does not serve it.</exception>
    public async Task<ResourceKind> FindAsync(string apiVersion, string kind, CancellationToken cancellationToken)
    {
        var kinds = await ReadAsync(apiVersion, cancellationToken);
        if (kinds.FirstOrDefault(candidate => candidate.Kind == kind) is { } found)
        {
            return found;
        }

        await ReadAllAsync(cancellationToken);
        var known = string.Join(", ", All().Select(candidate => $"{candidate.ApiVersion} {candidate.Kind}").Distinct().Order());
        throw CommandException.Failed($"the server has no kind {kind} in {apiVersion}; it has: {known}");
    }

    public async Task<IReadOnlyList<ResourceKind>> AllAsync(CancellationToken cancellationToken)
    {
        await ReadAllAsync(cancellationToken);
        return All();
    }

    private List<ResourceKind> All() => [.. _known.Values.SelectMany(kinds => kinds)];

    private ResourceKind? Named(string type)
    {
        // `orc hosts` is how people know DockerHosts.
        var asked = type is "hosts" or "host" ? DockerHost.Plural : type;
        var found = _known.Values.SelectMany(kinds => kinds).Where(kind => kind.Answers(asked)).ToList();

        // Our own kinds first, then core ones: an "event" is core's, though events.k8s.io has it too.
        return found.FirstOrDefault(kind => kind.Group == ApiGroup.Name) ?? found.FirstOrDefault(kind => kind.Group.Length == 0) ?? found.FirstOrDefault();
    }

    private IEnumerable<string> KnownNames() => All().Select(kind => kind.Plural).Distinct().Order();

    private async Task ReadAllAsync(CancellationToken cancellationToken)
    {
        if (_complete)
        {
            return;
        }

        var groups = await api.GetAsync("/apis", cancellationToken);
        var preferred = (groups["groups"] as JsonArray ?? [])
            .Select(group => (string?)group?["preferredVersion"]?["groupVersion"])
            .OfType<string>();
        await Task.WhenAll(preferred.Append(Core).Select(groupVersion => ReadAsync(groupVersion, cancellationToken)));
        _complete = true;
    }

    private async Task<IReadOnlyList<ResourceKind>> ReadAsync(string groupVersion, CancellationToken cancellationToken)
    {
        lock (_known)
        {
            if (_known.TryGetValue(groupVersion, out var known))
            {
                return known;
            }
        }

        IReadOnlyList<ResourceKind> kinds = [];
        try
        {
            var path = groupVersion.Contains('/', StringComparison.Ordinal) ? $"/apis/{groupVersion}" : $"/api/{groupVersion}";
            var list = await api.GetAsync(path, cancellationToken);
            kinds =
            [
                .. (list["resources"] as JsonArray ?? []).OfType<JsonObject>()
                    .Where(resource => !((string?)resource["name"] ?? "/").Contains('/', StringComparison.Ordinal))
                    .Select(resource => ResourceKind.Parse(resource, groupVersion)),
            ];
        }
        catch (ApiException failure) when (failure is NotFoundException || (int)failure.Code == 503)
        {
            // Not served, or an aggregated API whose server is down: the other groups are still there.
        }

        lock (_known)
        {
            _known[groupVersion] = kinds;
        }

        return kinds;
    }
}
