using k8s;
using k8s.Models;

namespace Orchestrator.Runtime.Events;

/// <summary>What makes two Events the same: they are about one object and say the same of it.</summary>
internal readonly record struct EventKey(string? Uid, string Kind, string? Namespace, string Name, string Type, string Reason, string Message)
{
    public static EventKey Of(IKubernetesObject<V1ObjectMeta> about, string type, string reason, string message) =>
        new(about.Metadata.Uid, about.Kind, about.Metadata.NamespaceProperty, about.Metadata.Name, type, reason, message);
}

/// <summary>All occurrences of one Event, and the object at the API server that counts them. Guarded by its recorder's lock.</summary>
internal sealed class EventSeries(EventKey key, V1ObjectReference about, DateTime first)
{
    public EventKey Key { get; } = key;

    public V1ObjectReference About { get; } = about;

    public DateTime First { get; } = first;

    public DateTime Last { get; set; } = first;

    public int Count { get; set; }

    /// <summary>Name of the Event object; null until it is created.</summary>
    public string? ObjectName { get; set; }

    /// <summary>Waits in the queue; further occurrences are taken along. What comes while it is being written is queued again.</summary>
    public bool Queued { get; set; }
}
