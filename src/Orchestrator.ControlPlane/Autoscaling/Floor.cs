using System.Globalization;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>The fewest replicas that an app may have now, and by what.</summary>
/// <param name="Cause">For people.</param>
internal sealed record Floor(int Replicas, string Cause)
{
    public static Floor Of(Api.WebApps.Autoscaling autoscaling, DateTimeOffset now)
    {
        var floor = new Floor(autoscaling.LeastReplicas, "minReplicas");
        foreach (var (schedule, index) in (autoscaling.Schedules ?? []).Select((schedule, index) => (schedule, index)))
        {
            var least = Math.Min(schedule.MinReplicas, autoscaling.MaxReplicas);
            if (least > floor.Replicas && schedule.HoldsAt(now))
            {
                floor = new(least, string.Create(CultureInfo.InvariantCulture, $"schedules[{index}]"));
            }
        }

        return floor;
    }

    /// <summary>What is wrong with schedules, for people: a server that does not know our rules may store them. They hold never.</summary>
    public static IEnumerable<string> Faults(Api.WebApps.Autoscaling autoscaling) => (autoscaling.Schedules ?? [])
        .Select((schedule, index) => schedule.Fault is { } fault
            ? string.Create(CultureInfo.InvariantCulture, $"spec.autoscaling.schedules[{index}].{fault.Field} {fault.Problem}")
            : null)
        .OfType<string>();
}
