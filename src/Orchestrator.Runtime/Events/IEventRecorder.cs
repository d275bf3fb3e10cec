using k8s;
using k8s.Models;

namespace Orchestrator.Runtime.Events;

/// <summary>Tells people what happened to an object, as Kubernetes Events: <c>kubectl describe</c> and <c>orc events</c> show them.</summary>
public interface IEventRecorder
{
    /// <summary>
    /// Queues an Event and returns at once. Best effort: Events are for reading, no part may depend on one. The same reason and
    /// message about the same object are counted up, not written again.
    /// </summary>
    /// <param name="type"><see cref="EventTypes"/>.</param>
    /// <param name="reason">One CamelCase word.</param>
    /// <param name="message">A sentence for people; never a secret.</param>
    void Record(IKubernetesObject<V1ObjectMeta> about, string type, string reason, string message);
}

/// <summary>Types of Events.</summary>
public static class EventTypes
{
    public const string Normal = "Normal";
    public const string Warning = "Warning";
}
