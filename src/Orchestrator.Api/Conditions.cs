using k8s.Models;

namespace Orchestrator.Api;

/// <summary>Handling of <c>status.conditions</c> after Kubernetes' API conventions.</summary>
public static class Conditions
{
    public const string True = "True";
    public const string False = "False";
    public const string Unknown = "Unknown";

    public static V1Condition? Find(IEnumerable<V1Condition>? conditions, string type) =>
        conditions?.FirstOrDefault(condition => condition.Type == type);

    public static bool IsTrue(IEnumerable<V1Condition>? conditions, string type) => Find(conditions, type)?.Status == True;

    /// <summary>
    /// A condition as it should be now. lastTransitionTime moves only when the status does, so that writing the same state
    /// twice is writing nothing.
    /// </summary>
    public static V1Condition Next(
        IEnumerable<V1Condition>? before, string type, bool? holds, string reason, string? message, long? generation, DateTimeOffset now)
    {
        var status = holds switch { true => True, false => False, null => Unknown };
        var old = Find(before, type);
        return new V1Condition
        {
            Type = type,
            Status = status,
            Reason = reason,
            Message = message,
            ObservedGeneration = generation,

            // Whole seconds: the precision of Kubernetes' Time on the wire.
            LastTransitionTime = old?.Status == status
                ? old.LastTransitionTime
                : DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()).UtcDateTime,
        };
    }
}
