using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using Orchestrator.Runtime.Events;

namespace Orchestrator.HostAgent.Tests.World;

/// <summary>Keeps Events instead of writing them.</summary>
internal sealed class RecordedEvents : IEventRecorder
{
    private readonly ConcurrentQueue<(string Uid, string Type, string Reason, string Message)> _events = new();

    public void Record(IKubernetesObject<V1ObjectMeta> about, string type, string reason, string message) =>
        _events.Enqueue((about.Metadata.Uid, type, reason, message));

    public IReadOnlyList<string> ReasonsOf(IKubernetesObject<V1ObjectMeta> about) =>
        [.. _events.Where(happened => happened.Uid == about.Metadata.Uid).Select(happened => happened.Reason)];

    public string AllText => string.Join('\n', _events.Select(happened => happened.Message));
}
