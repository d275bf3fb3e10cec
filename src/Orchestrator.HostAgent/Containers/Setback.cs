using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Status;

namespace Orchestrator.HostAgent.Containers;

/// <summary>A try that failed, and when the next is due.</summary>
/// <param name="Count">Tries in a row that failed for this reason, at least 1.</param>
public sealed record Setback(string Reason, string Message, int Count, TimeSpan Wait, DateTimeOffset NotBefore)
{
    /// <summary>Kubernetes' back-off for images and crashes.</summary>
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(300);

    /// <summary>An engine that restarts, or is removing a container already, is through within seconds.</summary>
    private static readonly TimeSpan FirstEngineWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestEngineWait = TimeSpan.FromSeconds(30);

    public static Setback After(Setback? previous, string reason, string message, DateTimeOffset now)
    {
        var count = previous?.Reason == reason ? previous.Count + 1 : 1;
        var (first, longest) = reason is ReplicaReasons.EngineUnavailable or ReplicaReasons.RemoveContainerError ? (FirstEngineWait, LongestEngineWait) : (FirstWait, LongestWait);
        var wait = TimeSpan.FromSeconds(Math.Min(first.TotalSeconds * Math.Pow(2, Math.Min(count - 1, 10)), longest.TotalSeconds));
        return new Setback(reason, message, count, wait, now + wait);
    }

    /// <summary>What a failed start means. The engine tells by its message only: all of these are status 500.</summary>
    public static string ReasonOfStart(EngineException failure) => failure switch
    {
        { IsTransport: true } => ReplicaReasons.EngineUnavailable,
        _ when Says(failure, "port is already allocated") || Says(failure, "address already in use") => ReplicaReasons.PortUnavailable,
        _ when Says(failure, "cannot assign requested address") => ReplicaReasons.PublishAddressUnavailable,
        _ => ReplicaReasons.RunContainerError,
    };

    private static bool Says(EngineException failure, string text) => failure.Message.Contains(text, StringComparison.Ordinal);
}
