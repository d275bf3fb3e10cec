using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>An app that has replicas in a round, bound or waiting.</summary>
/// <param name="Id">Numbered by the round.</param>
/// <param name="App">Null when it is gone: then it has its name alone.</param>
internal sealed record KnownApp(int Id, ObjectKey Key, WebApp? App)
{
    public int Priority => App?.Spec.Priority ?? 0;

    public AppAntiAffinity? AwayFrom => App?.Spec.Placement?.Affinity?.AwayFromApps;

    public bool IsSelectedBy(AppAffinityTerm term) => Expressions.Selects(term.LabelSelector, Label);

    private string? Label(string key) =>
        key == Labels.App ? Key.Name
        : App?.Metadata.Labels is { } labels && labels.TryGetValue(key, out var value) ? value
        : null;
}

/// <summary>The apps of a round, and who of them keeps away from whom.</summary>
internal sealed class KnownApps(Func<ObjectKey, WebApp?> appOf)
{
    private readonly Dictionary<ObjectKey, KnownApp> _apps = [];
    private readonly Dictionary<string, List<KnownApp>> _byNamespace = new(StringComparer.Ordinal);
    private readonly Dictionary<(int AppId, string Revision), int> _revisionIds = [];

    /// <summary>What must be kept away from apps of a namespace.</summary>
    private readonly Dictionary<string, List<(KnownApp Owner, AppAffinityTerm Term)>> _requiredFrom = new(StringComparer.Ordinal);

    /// <summary>By the id of an app, who counts its replicas.</summary>
    private readonly Dictionary<int, List<Distance>> _countedBy = [];

    /// <summary>The app, and the number of its revision that the Replica has; both become known.</summary>
    public (KnownApp App, int RevisionId) Of(Replica replica)
    {
        var app = Of(new ObjectKey(replica.Metadata.NamespaceProperty, replica.Spec.AppName));
        var key = (app.Id, replica.Spec.Revision);
        if (!_revisionIds.TryGetValue(key, out var number))
        {
            number = _revisionIds.Count;
            _revisionIds.Add(key, number);
        }

        return (app, number);
    }

    /// <summary>Those that a group keeps, by its app's wish and by others', counted over the hosts as they are and kept up from then on.</summary>
    public IReadOnlyList<Distance> DistancesOf(PlacementGroup group, IReadOnlyList<HostSlot> slots)
    {
        var app = group.App;
        var own = (app.AwayFrom?.Required ?? []).Select(term => (Term: term, Weight: (int?)null))
            .Concat((app.AwayFrom?.Preferred ?? []).Select(preferred => (preferred.Term, Weight: (int?)preferred.Weight)))
            .Select(wish => new Distance(group, wish.Term.TopologyKey, wish.Weight, Selected(app, wish.Term), isOthersWish: false, slots));
        var others = _requiredFrom.GetValueOrDefault(app.Key.Namespace!, [])
            .Where(wish => wish.Owner != app && app.IsSelectedBy(wish.Term))
            .Select(wish => new Distance(group, wish.Term.TopologyKey, weight: null, [wish.Owner], isOthersWish: true, slots));
        var distances = own.Concat(others).ToList();
        foreach (var distance in distances)
        {
            foreach (var counted in distance.Apps)
            {
                Add(_countedBy, counted.Id, distance);
            }
        }

        return distances;
    }

    /// <summary>A replica of the group has been placed.</summary>
    public void Place(PlacementGroup group, HostSlot slot)
    {
        if (_countedBy.TryGetValue(group.AppId, out var distances))
        {
            distances.ForEach(distance => distance.Place(group.App, group.RevisionId, slot));
        }
    }

    private KnownApp Of(ObjectKey key)
    {
        if (!_apps.TryGetValue(key, out var app))
        {
            app = new KnownApp(_apps.Count, key, appOf(key));
            _apps.Add(key, app);
            Add(_byNamespace, key.Namespace!, app);
            foreach (var term in app.AwayFrom?.Required ?? [])
            {
                foreach (var @namespace in NamespacesOf(app, term))
                {
                    Add(_requiredFrom, @namespace, (app, term));
                }
            }
        }

        return app;
    }

    private List<KnownApp> Selected(KnownApp owner, AppAffinityTerm term) =>
        [.. NamespacesOf(owner, term).SelectMany(name => _byNamespace.GetValueOrDefault(name, [])).Where(app => app.IsSelectedBy(term))];

    private static IEnumerable<string> NamespacesOf(KnownApp owner, AppAffinityTerm term) =>
        term.Namespaces is { Count: > 0 } namespaces ? namespaces.Distinct() : [owner.Key.Namespace!];

    private static void Add<TKey, TValue>(Dictionary<TKey, List<TValue>> lists, TKey key, TValue value)
        where TKey : notnull
    {
        if (!lists.TryGetValue(key, out var list))
        {
            lists.Add(key, list = []);
        }

        list.Add(value);
    }
}
