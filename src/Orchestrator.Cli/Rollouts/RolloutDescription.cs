using System.Globalization;
using System.Text.Json.Nodes;
using k8s;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Waiting;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Rollouts;

/// <summary>What <c>orc describe</c> adds to an app's fields: how the rollout stands, by which rules it goes, and the revisions.</summary>
internal static class RolloutDescription
{
    public static async Task WriteAsync(Session session, Awaited app, JsonObject live, CancellationToken cancellationToken)
    {
        var output = session.Terminal.Out;
        output.Write($"\nRollout: {Readiness.Of(live).Message.TrimEnd().ReplaceLineEndings("\n  ")}\n");
        var typed = KubernetesJson.Deserialize<WebApp>(live.ToJsonString());
        output.Write($"Strategy: {Rules(typed)}\n");
        AutoscalingDescription.Write(session, typed);
        try
        {
            var kept = await AppRevision.ListAsync(session, app, live, cancellationToken);
            output.Write(kept.Count > 0 ? "\nRevisions:\n" : "\nRevisions: none\n");
            if (kept.Count > 0)
            {
                RevisionTable.Of(session, kept, live).Write();
            }
        }
        catch (ApiException refused)
        {
            // Who may see apps may not see ControllerRevisions, which are another group's: the rest is worth as much.
            output.Write($"\nRevisions: {refused.Message}\n");
        }
    }

    /// <summary>With the defaults of what the spec leaves out, and in replicas, which is what counts.</summary>
    private static string Rules(WebApp app)
    {
        var spec = app.Spec;
        var rules = new List<string>();
        if (spec.Strategy?.Type == RolloutStrategy.Recreate)
        {
            rules.Add($"{RolloutStrategy.Recreate}, all old replicas stop before a new one starts");
        }
        else
        {
            if (spec.Strategy is { Type: RolloutStrategy.Canary, CanarySteps: { } canary })
            {
                rules.AddRange(Canary(canary));
            }

            var (surge, unavailable) = RollingUpdateLimits.Of(spec.Strategy?.Rolling, app.DesiredReplicas);
            rules.Add(string.Create(CultureInfo.InvariantCulture, $"{RolloutStrategy.RollingUpdate}, at most {surge} more and {unavailable} fewer than {app.DesiredReplicas}"));
        }

        if (spec.MinReady > TimeSpan.Zero)
        {
            rules.Add($"new ones ready for {Output.Durations.Age(spec.MinReady)}");
        }

        rules.Add($"failed after {Output.Durations.Age(spec.ProgressDeadline)} without progress{(spec.AutoRollback == false ? " and not taken back" : ", then taken back")}");
        return string.Join("; ", rules);
    }

    private static IEnumerable<string> Canary(CanaryStrategy canary)
    {
        var steps = canary.Steps.Select(step => string.Create(
            CultureInfo.InvariantCulture,
            $"{step.Weight} % {(step.DurationSeconds is { } seconds ? $"for {Output.Durations.Age(TimeSpan.FromSeconds(seconds))}" : "until promoted")}"));
        yield return $"{RolloutStrategy.Canary}, {string.Join(", ", steps)}";
        if (canary.Analysis is { } analysis)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"taken back with {analysis.MaxErrorPercent ?? CanaryAnalysis.DefaultMaxErrorPercent} % more errors or {analysis.MaxLatencyPercent ?? CanaryAnalysis.DefaultMaxLatencyPercent} % of the latency, after {analysis.MinRequests ?? CanaryAnalysis.DefaultMinRequests} requests");
        }
    }
}
