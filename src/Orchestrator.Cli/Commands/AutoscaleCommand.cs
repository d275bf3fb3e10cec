using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using k8s;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Rollouts;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>Lets the number of an app's replicas follow the load, changes by what, or ends it. What is not named stays.</summary>
internal sealed class AutoscaleCommand : AppChangeCommand, IHasExamples
{
    private const string Field = "autoscaling";

    private readonly Option<int?> _min = new("--min") { Description = "Fewest replicas; 0 goes without any while nobody asks for the app.", HelpName = "N" };
    private readonly Option<int?> _max = new("--max") { Description = "Most replicas.", HelpName = "N" };
    private readonly Option<bool> _off = new("--off") { Description = "End it, and keep as many replicas as there are to be now." };
    private readonly List<(Option<int?> Option, string Metric, string Target)> _metrics;

    public AutoscaleCommand()
        : base("autoscale", "Let the number of an app's replicas follow the load.", startsRollout: false)
    {
        Options.Add(_min);
        Options.Add(_max);
        _metrics =
        [
            Metric("--cpu", "PERCENT", MetricTypes.Cpu, "averageUtilization", "CPU, in percent of what a replica requests."),
            Metric("--memory", "PERCENT", MetricTypes.Memory, "averageUtilization", "Memory, in percent of what a replica requests."),
            Metric("--requests", "N", MetricTypes.RequestsPerSecond, "averageValue", "Requests a second and replica."),
            Metric("--in-flight", "N", MetricTypes.InFlight, "averageValue", "Requests under way, a replica."),
            Metric("--latency", "MILLISECONDS", MetricTypes.LatencyP95, "value", "95th percentile of the time to the end of an answer."),
        ];
        Options.Add(_off);
        Validators.Add(result =>
        {
            var named = _metrics.Select(metric => (Option)metric.Option).Append(_min).Append(_max).Any(option => result.GetResult(option) is not null);
            if (result.GetResult(_off) is null && !named)
            {
                result.AddError($"say what to scale by, with {string.Join(", ", _metrics.Select(metric => metric.Option.Name))}, or --min or --max; or end it with --off");
            }
            else if (result.GetResult(_off) is not null && named)
            {
                result.AddError("--off stands alone");
            }
        });
    }

    public IReadOnlyList<string> Examples =>
    [
        "orc autoscale web --min 2 --max 10 --cpu 70",
        "orc autoscale web --min 0 --max 5 --in-flight 8",
        "orc autoscale web --max 20",
        "orc autoscale web --off",
    ];

    protected override Task<SpecChange> ChangeAsync(ParseResult line, Session session, Awaited app, JsonObject live, CancellationToken cancellationToken)
    {
        var before = live["spec"]?[Field] as JsonObject;
        if (line.GetValue(_off))
        {
            // As many as there are to be: an app that was full of work must not fall back to what its spec said long ago.
            var desired = KubernetesJson.Deserialize<WebApp>(live.ToJsonString()).DesiredReplicas;
            return Task.FromResult(new SpecChange(
                before is null ? [] : new JsonObject { [Field] = null, ["replicas"] = desired },
                string.Create(CultureInfo.InvariantCulture, $"autoscaling ended at {desired} {(desired == 1 ? "replica" : "replicas")}")));
        }

        var metrics = before?["metrics"]?.DeepClone() as JsonArray ?? [];
        foreach (var (option, metric, target) in _metrics)
        {
            if (line.GetValue(option) is { } wanted)
            {
                Set(metrics, metric, target, wanted);
            }
        }

        if (metrics.Count == 0)
        {
            throw CommandException.Usage($"{app} is not autoscaled yet: say by what it is to be, such as --cpu 70 or --in-flight 8");
        }

        var after = new JsonObject { ["metrics"] = metrics };
        SetIfNamed(after, "minReplicas", line.GetValue(_min));
        SetIfNamed(after, "maxReplicas", line.GetValue(_max) ?? (before is null ? throw CommandException.Usage("say how many replicas there may be at most, with --max") : null));
        var differs = after.Any(field => !JsonNode.DeepEquals(field.Value, before?[field.Key]));
        return Task.FromResult(new SpecChange(differs ? new JsonObject { [Field] = after } : [], "autoscaled"));
    }

    private (Option<int?>, string, string) Metric(string name, string unit, string metric, string target, string description)
    {
        var option = new Option<int?>(name) { Description = description, HelpName = unit };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is <= 0)
            {
                result.AddError($"{name} must be greater than 0");
            }
        });
        Options.Add(option);
        return (option, metric, target);
    }

    private static void Set(JsonArray metrics, string type, string target, int wanted)
    {
        var value = new JsonObject { [target] = wanted };
        if (metrics.FirstOrDefault(metric => (string?)metric?["type"] == type) is JsonObject known)
        {
            known["target"] = value;
        }
        else
        {
            metrics.Add(new JsonObject { ["type"] = type, ["target"] = value });
        }
    }

    private static void SetIfNamed(JsonObject spec, string field, int? value)
    {
        if (value is { } named)
        {
            spec[field] = named;
        }
    }
}
