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

            var present = new HashSet<ObjectKey>();
            foreach (var obj in listed)
            {
                var key = ObjectKey.Of(obj);
                present.Add(key);
                if (!_seeded.ContainsKey(key) && !IsSame(_items.GetValueOrDefault(key), obj))
                {
                    Set_NeedsLock(key, obj);
                }
            }

            foreach (var key in _items.Keys.Where(key => !present.Contains(key) && !_seeded.ContainsKey(key)).ToList())
            {
                Remove_NeedsLock(key);
            }
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
                    Set_NeedsLock(key, obj);
                    break;

                // The end of an earlier object of this name is not the end of one that was seeded since.
                case WatchEventType.Deleted when known is not null && (known.Metadata.Uid == obj.Metadata.Uid || !_seeded.ContainsKey(key)):
                    _seeded.Remove(key);
                    Remove_NeedsLock(key);
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
            Set_NeedsLock(key, obj);
        }
    }

    private static bool IsSame(T? known, T obj) =>
        known is not null && known.Metadata.Uid == obj.Metadata.Uid && known.Metadata.ResourceVersion == obj.Metadata.ResourceVersion;

    private void Set_NeedsLock(ObjectKey key, T obj)
    {
        if (_items.TryGetValue(key, out var old) && old.Metadata.Uid != obj.Metadata.Uid)
        {
            // Deleted and made again while nobody watched: two objects, and subscribers hear of both.
            Remove_NeedsLock(key);
            old = null;
        }

        if (old is not null)
        {
            Unindex_NeedsLock(key, old);
        }

        _items = _items.SetItem(key, obj);
        foreach (var (name, valuesOf) in _indexers)
        {
            foreach (var value in valuesOf(obj))
            {
                var found = _indexed.GetValueOrDefault((name, value)) ?? ImmutableDictionary<ObjectKey, T>.Empty;
                _indexed[(name, value)] = found.SetItem(key, obj);
            }
        }

        Tell_NeedsLock(new(old is null ? InformerEventKind.Added : InformerEventKind.Modified, key, old, obj));
    }

    private void Remove_NeedsLock(ObjectKey key)
    {
        if (!_items.TryGetValue(key, out var old))
        {
            return;
        }

        Unindex_NeedsLock(key, old);
        _items = _items.Remove(key);
        Tell_NeedsLock(new(InformerEventKind.Deleted, key, old, null));
    }

    private void Unindex_NeedsLock(ObjectKey key, T old)
    {
        foreach (var (name, valuesOf) in _indexers)
        {
            foreach (var value in valuesOf(old))
            {
                if (!_indexed.TryGetValue((name, value), out var found))
                {
                    continue;
                }

                found = found.Remove(key);
                if (found.IsEmpty)
                {
                    _indexed.TryRemove((name, value), out _);
                }
                else
                {
                    _indexed[(name, value)] = found;
                }
            }
        }
    }

    private void Tell_NeedsLock(InformerEvent<T> change)
    {
        foreach (var subscriber in _subscribers)
        {
            subscriber(change);
        }
    }

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
