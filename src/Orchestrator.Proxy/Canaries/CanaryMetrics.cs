using Orchestrator.Proxy.Forwarding;
using Orchestrator.Runtime;
using Prometheus;

namespace Orchestrator.Proxy.Canaries;

/// <summary>The canary of one app in the metrics; there from its first weight to its end.</summary>
internal sealed class CanaryMetrics : IDisposable
{
    private static readonly Counter AllRequests = Metrics.CreateCounter(
        "orchestrator_proxy_canary_requests_total",
        "Tries of requests of apps whose canary is under way, by side and class of status; a try without an answer counts as 5xx.",
        new CounterConfiguration { LabelNames = ["namespace", "app", "side", "code"], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    private readonly string[][] _labels;
    private readonly Counter.Child[] _stable;
    private readonly Counter.Child[] _canary;

    public CanaryMetrics(ObjectKey app)
    {
        string[][] Labels(string side) => [.. StatusClasses.All.Select(code => new[] { app.Namespace ?? "", app.Name, side, code })];

        _labels = [.. Labels("stable"), .. Labels("canary")];
        Counter.Child[] children = [.. _labels.Select(AllRequests.WithLabels)];
        (_stable, _canary) = (children[..StatusClasses.All.Count], children[StatusClasses.All.Count..]);
    }

    public Counter.Child Stable(int status) => _stable[StatusClasses.IndexOf(status)];

    public Counter.Child Canary(int status) => _canary[StatusClasses.IndexOf(status)];

    public void Dispose()
    {
        foreach (var labels in _labels)
        {
            AllRequests.RemoveLabelled(labels);
        }
    }
}
