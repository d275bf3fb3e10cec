using System.Globalization;
using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>A number of replicas, or a percentage of the wanted ones.</summary>
internal static class ReplicaShare
{
    /// <param name="round">What becomes of the parts of a replica that a percentage gives.</param>
    /// <exception cref="FormatException">It is neither.</exception>
    public static int Of(IntOrString share, int desired, Func<double, double> round) => share.Value.EndsWith('%')
        ? (int)round(int.Parse(share.Value.AsSpan(0, share.Value.Length - 1), CultureInfo.InvariantCulture) * (double)desired / 100)
        : int.Parse(share.Value, CultureInfo.InvariantCulture);
}
