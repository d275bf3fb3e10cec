using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Canaries;

/// <summary>What a proxy tells of the canaries it sees, as the text of an annotation of bounded length.</summary>
internal static class CanaryReport
{
    /// <param name="apps">All; those without a canary are passed over.</param>
    /// <param name="room">
    /// Most characters. When it is too small for all of them the ones under way for the longest are told, so that one that was
    /// told stays until its period ends; the others have to wait for that.
    /// </param>
    /// <returns>Empty when there is nothing to tell.</returns>
    public static string Write(IReadOnlyCollection<AppState> apps, int room)
    {
        List<CanaryObservation> all = [.. apps.Select(app => app.Canary?.Read()).OfType<CanaryObservation>()];
        var text = CanaryObservation.Write(all);
        if (text.Length <= room)
        {
            return text;
        }

        // What each costs is its own text without brackets, and a comma; two brackets are left for the whole.
        var left = room - 1;
        List<CanaryObservation> told =
        [
            .. all.OrderBy(one => one.Since).ThenBy(one => one.App, StringComparer.Ordinal)
                .TakeWhile(one => (left -= CanaryObservation.Write([one]).Length - 1) >= 0),
        ];
        return CanaryObservation.Write(told);
    }
}
