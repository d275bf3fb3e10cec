using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using k8s;
using k8s.Models;

namespace Orchestrator.Runtime.Informers;

/// <summary>
/// The objects of one kind as last seen, with indexes. Readers get immutable snapshots; changes are applied one at a time and
/// told to the subscribers in that order.
/// </summary>
internal sealed class InformerCache<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Func<T, IEnumerable<string>>> _indexers = [];

    // Written under the lock, read without it: a subscriber of one cache may read another's index, in any order.
    private readonly ConcurrentDictionary<(string Index, string Value), ImmutableDictionary<ObjectKey, T>> _indexed = new();
    private readonly List<Action<InformerEvent<T>>> _subscribers = [];

    // Revisions of our own writes that no list or watch has brought yet.
    private readonly Dictionary<ObjectKey, long> _seeded = [];
    private volatile ImmutableDictionary<ObjectKey, T> _items = ImmutableDictionary<ObjectKey, T>.Empty;

    // The newest revision the watch has delivered. Whatever is not newer is already in the cache, or was and has been deleted.
    private long _revision;

    public ImmutableDictionary<ObjectKey, T> Items => _items;

    public void AddIndex(string name, Func<T, IEnumerable<string>> valuesOf) => _indexers.Add(name, valuesOf);

    public void Subscribe(Action<InformerEvent<T>> subscriber) => _subscribers.Add(subscriber);

    public IReadOnlyCollection<T> ByIndex(string name, string value) =>
        _indexed.TryGetValue((name, value), out var found) ? new ValuesOf(found) : [];

    /// <summary>
    /// Makes the cache what a list returned, whatever it holds: a server that was restored from a backup has older revisions.
    /// Only a write of our own that the list is too old to know stays.
    /// </summary>
    public void Replace(IEnumerable<T> listed, string revision)
    {
        lock (_gate)
        {
            _revision = RevisionOf(revision);
            foreach (var key in _seeded.Where(seed => seed.Value <= _revision).Select(seed => seed.Key).ToList())
            {
                _seeded.Remove(key);
            }

            var changes = new List<(ObjectKey, T?)>();
            var present = new HashSet<ObjectKey>();
            foreach (var obj in listed)
            {
                var key = ObjectKey.Of(obj);
                present.Add(key);
                if (!_seeded.ContainsKey(key) && !IsSame(_items.GetValueOrDefault(key), obj))
                {
                    changes.Add((key, obj));
                }
            }

            changes.AddRange(_items.Keys.Where(key => !present.Contains(key) && !_seeded.ContainsKey(key)).Select(key => (key, (T?)null)));
            Change_NeedsLock(changes);
        }
    }

    public void Apply(WatchEventType type, T obj)
    {
        lock (_gate)
        {
            var key = ObjectKey.Of(obj);
            var revision = RevisionOf(obj.Metadata.ResourceVersion);
            _revision = Math.Max(_revision, revision);
            if (_seeded.TryGetValue(key, out var seeded) && seeded <= revision)
            {
                _seeded.Remove(key);
            }

            var known = _items.GetValueOrDefault(key);
            switch (type)
            {
                // Not newer: a seeded write comes around again, with what came before it.
                case WatchEventType.Added or WatchEventType.Modified when known is null || RevisionOf(known.Metadata.ResourceVersion) < revision:
                    Change_NeedsLock([(key, obj)]);
                    break;

                // The end of an earlier object of this name is not the end of one that was seeded since.
                case WatchEventType.Deleted when known is not null && (known.Metadata.Uid == obj.Metadata.Uid || !_seeded.ContainsKey(key)):
                    _seeded.Remove(key);
                    Change_NeedsLock([(key, null)]);
                    break;
            }
        }
    }

    /// <summary>Takes the answer of a write of our own, unless the watch has already been past it.</summary>
    public void Seed(T obj)
    {
        lock (_gate)
        {
            var key = ObjectKey.Of(obj);
            var revision = RevisionOf(obj.Metadata.ResourceVersion);
            if (revision <= _revision || revision <= RevisionOf(_items.GetValueOrDefault(key)?.Metadata.ResourceVersion))
            {
                return;
            }

            // The answer to a write that took the last finalizer is an object that no longer exists.
            if (obj.Metadata is { DeletionTimestamp: not null, Finalizers: null or { Count: 0 } })
            {
                return;
            }

            _seeded[key] = revision;
            Change_NeedsLock([(key, obj)]);
        }
    }

    private static bool IsSame(T? known, T obj) =>
        known is not null && known.Metadata.Uid == obj.Metadata.Uid && known.Metadata.ResourceVersion == obj.Metadata.ResourceVersion;

    /// <summary>
    /// Each snapshot is built whole and swapped once. A reader must neither miss an object that only changes (who counts replicas
    /// would make one too many) nor see a list half taken in, and the subscribers are told when all of it is there.
    /// </summary>
    /// <param name="changes">Null ends an object.</param>
    private void Change_NeedsLock(IReadOnlyCollection<(ObjectKey Key, T? Now)> changes)
    {
        var items = _items.ToBuilder();
        var indexed = new Dictionary<(string Index, string Value), ImmutableDictionary<ObjectKey, T>>();
        var events = new List<InformerEvent<T>>(changes.Count);
        foreach (var (key, now) in changes)
        {
            var old = items.GetValueOrDefault(key);
            foreach (var place in PlacesOf(old))
            {
                indexed[place] = Found_NeedsLock(indexed, place).Remove(key);
            }

            foreach (var place in PlacesOf(now))
            {
                indexed[place] = Found_NeedsLock(indexed, place).SetItem(key, now!);
            }

            if (now is null)
            {
                items.Remove(key);
            }
            else
            {
                items[key] = now;
            }

            if (old is not null && now is not null && old.Metadata.Uid != now.Metadata.Uid)
            {
                // Deleted and made again while nobody watched: two objects, and subscribers hear of both.
                events.Add(new(InformerEventKind.Deleted, key, old, null));
                old = null;
            }

            events.Add(new(old is null ? InformerEventKind.Added : now is null ? InformerEventKind.Deleted : InformerEventKind.Modified, key, old, now));
        }

        foreach (var (place, found) in indexed)
        {
            if (found.IsEmpty)
            {
                _indexed.TryRemove(place, out _);
            }
            else
            {
                _indexed[place] = found;
            }
        }

        _items = items.ToImmutable();
        foreach (var change in events)
        {
            foreach (var subscriber in _subscribers)
            {
                subscriber(change);
            }
        }
    }

    private IEnumerable<(string Index, string Value)> PlacesOf(T? obj) =>
        obj is null ? [] : _indexers.SelectMany(index => index.Value(obj), (index, value) => (index.Key, value));

    private ImmutableDictionary<ObjectKey, T> Found_NeedsLock(
        Dictionary<(string Index, string Value), ImmutableDictionary<ObjectKey, T>> changed, (string Index, string Value) place) =>
        changed.TryGetValue(place, out var found) || _indexed.TryGetValue(place, out found) ? found : ImmutableDictionary<ObjectKey, T>.Empty;

    // Opaque by the letter of the API conventions; comparable in every server there is, and by rule since Kubernetes 1.35.
    private static long RevisionOf(string? resourceVersion) =>
        long.TryParse(resourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : 0;

    private sealed class ValuesOf(ImmutableDictionary<ObjectKey, T> found) : IReadOnlyCollection<T>
    {
        public int Count => found.Count;

        public IEnumerator<T> GetEnumerator() => found.Values.GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
