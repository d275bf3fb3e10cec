using System.Globalization;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>
/// What users ask of a rollout under way, by annotations on the WebApp: <see cref="Annotations.Promote"/> and
/// <see cref="Annotations.Abort"/>. One that was followed, or is about another revision, is taken off, so that it says nothing of a
/// later rollout of the same revision. Pure.
/// </summary>
internal static class RolloutCommands
{
    private const string AllSteps = "all";

    public static bool IsAborted(WebApp app, string revision) => Text(app, Annotations.Abort) == revision;

    /// <returns>The step that the canary is to go on to; 0 when nobody has asked.</returns>
    /// <param name="step">The step it is at.</param>
    /// <param name="steps">How many there are.</param>
    public static int PromotedTo(WebApp app, string revision, int step, int steps) =>
        Text(app, Annotations.Promote)?.Split('/', 2) is [var named, var which] && named == revision
            ? which == AllSteps ? steps : which == step.ToString(CultureInfo.InvariantCulture) ? step + 1 : 0
            : 0;

    /// <summary>Annotations that have nothing more to say.</summary>
    /// <param name="target">As of the app's status.</param>
    public static IReadOnlyList<string> Spent(WebApp app, RolloutTarget target)
    {
        var spent = new List<string>();
        if (Text(app, Annotations.Abort) is { } aborted && (aborted != target.Update || target.IsRolledBack || !IsUnderWay(app, aborted)))
        {
            spent.Add(Annotations.Abort);
        }

        if (Text(app, Annotations.Promote) is { } promoted && !(target.Canary is { } canary && IsAhead(app, canary, promoted)))
        {
            spent.Add(Annotations.Promote);
        }

        return spent;
    }

    public static bool AreSame(WebApp one, WebApp other) =>
        Text(one, Annotations.Abort) == Text(other, Annotations.Abort) && Text(one, Annotations.Promote) == Text(other, Annotations.Promote);

    private static bool IsAhead(WebApp app, string canary, string promoted)
    {
        var step = app.Status?.Rollout?.Canary is { } known && known.Revision == canary ? known.Step : 0;
        return PromotedTo(app, canary, step, int.MaxValue) > step;
    }

    private static bool IsUnderWay(WebApp app, string revision) => app.Status?.CurrentRevision is { } stable && stable != revision;

    private static string? Text(WebApp app, string annotation) =>
        app.Metadata.Annotations is { } annotations && annotations.TryGetValue(annotation, out var text) ? text : null;
}
