using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Usage;
using Orchestrator.Runtime;

namespace Orchestrator.Cli.Commands;

/// <summary>What all replicas of each app use together, and what the proxies see of its requests.</summary>
internal sealed class TopAppsCommand : TopVerb
{
    private const string ByRequests = "requests";
    private const string ByErrors = "errors";
    private const string ByLatency = "latency";

    /// <summary>By which percentile apps are sorted: the one they are scaled by.</summary>
    private const int SortedPercentile = 95;

    public TopAppsCommand()
        : base(
            "apps",
            "Show what all replicas of each app use together, its share of their requests and limits, and the requests that the proxies see: a second, errors, latencies.",
            WebApp.KubeKind,
            WebApp.Plural,
            moreOrders: [ByRequests, ByErrors, ByLatency]) =>
        Aliases.Add("app");

    public override IReadOnlyList<string> Examples =>
        ["orc top apps", "orc top apps -A --sort-by requests", "orc top apps -l tier=front --sort-by latency", "orc top apps web -o yaml"];

    protected override string UsageKind => "WebAppUsage";

    protected override bool WithTraffic => true;

    protected override async Task<IEnumerable<UsageRow>> RowsAsync(
        ListScope scope, Func<string, bool> isAskedFor, Session session, CancellationToken cancellationToken)
    {
        var apps = (await ListScope.ReadAllAsync<WebApp>(session.Api, scope, cancellationToken)).FindAll(app => isAskedFor(app.Metadata.Name));
        var names = apps.Select(app => (app.Metadata.NamespaceProperty, app.Metadata.Name)).ToHashSet();
        var replicas = apps.Count == 0 ? [] : await ReplicasAsync(scope.Namespace, session, cancellationToken);
        var measured = (await new ReplicaUsages(session).ReadAsync(
                replicas.FindAll(replica => names.Contains((replica.Metadata.NamespaceProperty, replica.Spec.AppName))), cancellationToken))
            .ToLookup(replica => (replica.Replica.Metadata.NamespaceProperty, replica.Replica.Spec.AppName));
        var proxies = apps.Exists(HasRoute) ? await new ProxyReports(session).ReadAsync(cancellationToken) : null;
        return apps.Select(app =>
        {
            var row = UsageRow.Of(app, [.. measured[(app.Metadata.NamespaceProperty, app.Metadata.Name)]]);
            return proxies is { Count: > 0 } && HasRoute(app) ? row.With(AppTraffic.Sum(ObjectKey.Of(app).ToString(), proxies)) : row;
        });
    }

    protected override double? Measure(UsageRow row, string order) => order switch
    {
        ByRequests => row.Traffic?.Seen.RequestsPerSecond,
        ByErrors => row.Traffic?.Seen.ErrorPercent,
        ByLatency => row.Traffic?.Percentile(SortedPercentile)?.TotalMilliseconds,
        _ => base.Measure(row, order),
    };

    private static bool HasRoute(WebApp app) => app.Spec.Route is not null;
}
