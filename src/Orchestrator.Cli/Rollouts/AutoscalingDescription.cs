using System.Globalization;
using k8s.Models;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Rollouts;

/// <summary>What <c>orc describe</c> says of an app's autoscaling: its bounds, and each metric beside its target.</summary>
internal static class AutoscalingDescription
{
    private const string None = "<unknown>";

    public static void Write(Session session, WebApp app)
    {
        if (app.Spec.Autoscaling is not { } autoscaling)
        {
            return;
        }

        session.Terminal.Out.Write(string.Create(
            CultureInfo.InvariantCulture, $"\nAutoscaling: {autoscaling.LeastReplicas} to {autoscaling.MaxReplicas} replicas, {app.DesiredReplicas} now\n"));
        var table = new TextTable(session.Terminal, "METRIC", "CURRENT", "TARGET");
        foreach (var metric in autoscaling.Metrics)
        {
            var seen = app.Status?.Autoscaling?.CurrentMetrics?.FirstOrDefault(seen => seen.Type == metric.Type && seen.Query == metric.Prometheus?.Query)?.Current;
            table.Add(Name(metric), seen is null ? None : Text(metric.Type, seen, metric.Target), Text(metric.Type, metric.Target, metric.Target));
        }

        if (table.HasRows)
        {
            table.Write("  ");
        }
    }

    private static string Name(AutoscalingMetric metric) => metric.Prometheus is { } query ? $"{metric.Type} {query.Query}" : metric.Type;

    /// <param name="target">Says which of the fields is meant.</param>
    private static string Text(string type, MetricTarget value, MetricTarget target) =>
        target.AverageUtilization is not null ? Percent(value.AverageUtilization)
        : target.Value is not null ? $"{Number(value.Value)}{(type == MetricTypes.LatencyP95 ? " ms" : "")}"
        : $"{Number(value.AverageValue)} a replica";

    private static string Percent(int? value) => value is { } percent ? string.Create(CultureInfo.InvariantCulture, $"{percent} %") : None;

    private static string Number(ResourceQuantity? value) => Api.Quantities.Read(value)?.ToString("0.###", CultureInfo.InvariantCulture) ?? None;
}
