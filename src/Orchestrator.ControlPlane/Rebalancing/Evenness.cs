namespace Orchestrator.ControlPlane.Rebalancing;

/// <summary>How unevenly an app's replicas lie on their hosts.</summary>
internal static class Evenness
{
    /// <summary>
    /// Replicas more on one host than on another from which one is moved. With one more, a move would only swap the two hosts; from two on
    /// each lowers <see cref="Unevenness"/>, so that moving comes to an end, whatever else happens on the hosts.
    /// </summary>
    public const int LeastDifference = 2;

    /// <summary>The sum of the squares of what the hosts carry: of two ways to place as many replicas, the lower one is the more even.</summary>
    /// <param name="hosts">Of each replica, its host.</param>
    public static long Unevenness(IEnumerable<string> hosts) => hosts.CountBy(host => host, StringComparer.Ordinal).Sum(host => (long)host.Value * host.Value);
}
