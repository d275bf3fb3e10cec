using System.Runtime.InteropServices;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// A group that is to keep away from replicas of some apps: how many of them each domain has. Domains are those of all hosts, since a
/// replica on a cordoned host is near too. What is being stopped does not count, as everywhere. Within a round there only come more.
/// </summary>
internal sealed class Distance
{
    private readonly Dictionary<string, int> _replicas = new(StringComparer.Ordinal);
    private readonly Dictionary<string, KnownApp> _firstApp = new(StringComparer.Ordinal);
    private readonly int _ownAppId;
    private readonly int _ownRevisionId;
    private readonly string _topologyKey;
    private readonly bool _isOthersWish;

    /// <param name="weight">Null: it must keep away; else what each replica near it counts for.</param>
    /// <param name="isOthersWish">It is the other app that keeps away.</param>
    public Distance(
        PlacementGroup group, string topologyKey, int? weight, IReadOnlyCollection<KnownApp> apps, bool isOthersWish, IEnumerable<HostSlot> slots)
    {
        (_ownAppId, _ownRevisionId) = (group.AppId, group.RevisionId);
        _topologyKey = topologyKey;
        _isOthersWish = isOthersWish;
        Weight = weight ?? 0;
        IsHard = weight is null;
        Apps = apps;
        foreach (var slot in slots)
        {
            foreach (var app in slot.Host.Label(topologyKey) is null ? [] : apps)
            {
                // Of the app itself, replicas of another revision do not count: they go as these come, and a rollout could not begin.
                Add(app, slot, app.Id == _ownAppId ? slot.ReplicasOfRevision(_ownRevisionId) : slot.ReplicasOfApp(app.Id));
            }
        }
    }

    /// <summary>Whose replicas count.</summary>
    public IReadOnlyCollection<KnownApp> Apps { get; }

    public bool IsHard { get; }

    public int Weight { get; }

    /// <summary>A host without the label is near nobody.</summary>
    public int ReplicasNear(HostSlot slot) => slot.Host.Label(_topologyKey) is { } domain ? _replicas.GetValueOrDefault(domain) : 0;

    /// <summary>A replica of one of the apps has been placed.</summary>
    public void Place(KnownApp app, int revisionId, HostSlot slot)
    {
        if (app.Id != _ownAppId || revisionId == _ownRevisionId)
        {
            Add(app, slot, 1);
        }
    }

    /// <summary>Reads after a number of hosts.</summary>
    public string Explain(HostSlot slot)
    {
        var app = slot.Host.Label(_topologyKey) is { } domain ? _firstApp.GetValueOrDefault(domain) : null;
        var who = app is null ? "an app" : app.Id == _ownAppId ? "another of its replicas" : $"app {app.Key.Name}";
        var where = _topologyKey == TopologyKeys.Hostname ? $"with {who}" : $"in the {_topologyKey} of {who}";
        return _isOthersWish ? $"{where}, which keeps away from it" : $"{where}, from which it keeps away";
    }

    private void Add(KnownApp app, HostSlot slot, int count)
    {
        if (count > 0 && slot.Host.Label(_topologyKey) is { } domain)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_replicas, domain, out _) += count;
            _firstApp.TryAdd(domain, app);
        }
    }
}
