using k8s.Models;

namespace Orchestrator.ControlPlane.Hosts;

/// <summary>Taints of hosts against tolerations of apps, by Kubernetes' rules.</summary>
internal static class Taints
{
    public const string NoSchedule = "NoSchedule";
    public const string PreferNoSchedule = "PreferNoSchedule";
    public const string NoExecute = "NoExecute";

    public static bool IsTolerated(V1Taint taint, IEnumerable<V1Toleration>? tolerations) =>
        tolerations?.Any(toleration => Tolerates(toleration, taint)) ?? false;

    /// <summary>The first taint of one of the effects that is not tolerated.</summary>
    public static V1Taint? FirstUntolerated(
        IEnumerable<V1Taint>? taints, IEnumerable<V1Toleration>? tolerations, params ReadOnlySpan<string> effects)
    {
        foreach (var taint in taints ?? [])
        {
            if (effects.Contains(taint.Effect) && !IsTolerated(taint, tolerations))
            {
                return taint;
            }
        }

        return null;
    }

    /// <summary>For how long after its beginning a taint with effect NoExecute is put up with, by the shortest of the tolerations that fit.</summary>
    /// <returns><see cref="TimeSpan.MaxValue"/> for ever; null when none fits.</returns>
    public static TimeSpan? ToleratedFor(V1Taint taint, IEnumerable<V1Toleration>? tolerations)
    {
        TimeSpan? shortest = null;
        foreach (var toleration in tolerations ?? [])
        {
            if (Tolerates(toleration, taint))
            {
                var seconds = toleration.TolerationSeconds is { } limit ? TimeSpan.FromSeconds(Math.Max(0, limit)) : TimeSpan.MaxValue;
                shortest = shortest < seconds ? shortest : seconds;
            }
        }

        return shortest;
    }

    /// <summary>As kubectl writes it: <c>key=value:effect</c>.</summary>
    public static string Describe(V1Taint taint) =>
        string.IsNullOrEmpty(taint.Value) ? $"{taint.Key}:{taint.Effect}" : $"{taint.Key}={taint.Value}:{taint.Effect}";

    private static bool Tolerates(V1Toleration toleration, V1Taint taint)
    {
        if (!string.IsNullOrEmpty(toleration.Effect) && toleration.Effect != taint.Effect)
        {
            return false;
        }

        var exists = toleration.OperatorProperty == "Exists";
        if (string.IsNullOrEmpty(toleration.Key))
        {
            // No key with Exists tolerates everything; with Equal it is not valid and tolerates nothing.
            return exists;
        }

        return toleration.Key == taint.Key && (exists || (toleration.Value ?? "") == (taint.Value ?? ""));
    }
}
