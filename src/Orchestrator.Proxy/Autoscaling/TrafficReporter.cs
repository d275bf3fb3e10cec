using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Autoscaling;

/// <summary>What a proxy tells of the apps that are scaled by it, as the text of an annotation of bounded length.</summary>
internal static class TrafficReporter
{
    /// <summary>Room for the brackets, the names of the fields and the number of those left out.</summary>
    private const int Frame = 64;

    /// <param name="apps">All; those that are not scaled by it are passed over.</param>
    /// <param name="room">
    /// Most characters. When it is too small, those that requests wait for come first, then by name, so that one that was told stays; of the others
    /// the controller knows that nothing is known.
    /// </param>
    /// <returns>Empty when there is nothing to tell.</returns>
    public static string Write(IReadOnlyCollection<AppState> apps, int room)
    {
        List<TrafficObservation> all = [.. apps.Select(app => app.Traffic?.Read(app.Held.Waiting)).OfType<TrafficObservation>()];
        var text = new TrafficReport(all).Write();
        if (text.Length <= room)
        {
            return text;
        }

        var left = room - Frame;
        List<TrafficObservation> told =
        [
            .. all.OrderBy(one => one.Waiting == 0).ThenBy(one => one.App, StringComparer.Ordinal)
                .TakeWhile(one => (left -= new TrafficReport([one]).Write().Length) >= 0),
        ];
        return new TrafficReport(told, all.Count - told.Count).Write();
    }
}
