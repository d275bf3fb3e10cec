using System.Collections.Immutable;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>
/// What was recommended and done of an app lately; never changed. As Kubernetes', it is the process's: a controller that starts anew takes what there
/// is for what was last recommended, so that it takes nothing away before a window has passed.
/// </summary>
internal sealed record ScalingHistory(
    ImmutableArray<(TimeSpan At, int Replicas)> Recommendations, ImmutableArray<(TimeSpan At, int Change)> Changes)
{
    public static ScalingHistory Begin(int current, TimeSpan now) => new([(now, current)], []);

    public ScalingHistory Recommend(int replicas, TimeSpan now, TimeSpan keep) =>
        this with { Recommendations = [.. Recommendations.Where(one => one.At > now - keep), (now, replicas)] };

    public ScalingHistory Change(int change, TimeSpan now, TimeSpan keep) => change == 0
        ? this
        : this with { Changes = [.. Changes.Where(one => one.At > now - keep), (now, change)] };

    /// <summary>How many came, less those that went.</summary>
    public int ChangeSince(TimeSpan start) => Changes.Where(one => one.At > start).Sum(one => one.Change);

    /// <summary>What was recommended since then, with what is now.</summary>
    public IEnumerable<int> Since(TimeSpan start, int now) => Recommendations.Where(one => one.At > start).Select(one => one.Replicas).Append(now);
}
