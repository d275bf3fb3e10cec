using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Autoscaling;

/// <summary>What a proxy tells of its apps' traffic, as the text of an annotation of bounded length.</summary>
internal static class TrafficReporter
{
    /// <summary>Room for the brackets, the names of the fields and the number of those left out.</summary>
    private const int Frame = 64;

    /// <param name="room">
    /// Most characters. When it is too small, apps that are scaled by it come first, of them those that requests wait for, then by name, so that one
    /// that was told stays; their latencies are told if they are scaled by them, or there is room for those of all. Then come the busiest of the
    /// others, whom only people ask for.
    /// </param>
    /// <returns>Empty when there is nothing to tell.</returns>
    public static string Write(IReadOnlyCollection<AppState> apps, int room)
    {
        var scaled = apps.Where(static app => app.Wish is not null)
            .Select(static app => (App: app, Seen: Read(app)))
            .OrderBy(static one => one.Seen.Waiting == 0).ThenBy(static one => one.Seen.App, StringComparer.Ordinal)
            .ToList();
        var others = apps.Where(static app => app.Wish is null).Select(Read)
            .OrderByDescending(static one => one.RequestsPerSecond ?? 0).ThenBy(static one => one.App, StringComparer.Ordinal);
        var left = room - Frame;
        if (scaled.Sum(one => LengthOf(one.Seen)) > left)
        {
            scaled = [.. scaled.Select(static one => one.App.Wish is { Latencies: true } ? one : one with { Seen = one.Seen with { Latencies = null } })];
        }

        List<TrafficObservation> told = [.. scaled.Select(static one => one.Seen).Concat(others).TakeWhile(one => (left -= LengthOf(one)) >= 0)];
        return new TrafficReport(told, apps.Count - told.Count).Write();
    }

    private static TrafficObservation Read(AppState app) => app.Traffic.Read(app.Held.Waiting);

    private static int LengthOf(TrafficObservation one) => new TrafficReport([one]).Write().Length;
}
