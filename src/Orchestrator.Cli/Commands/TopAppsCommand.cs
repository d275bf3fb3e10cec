using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Usage;

namespace Orchestrator.Cli.Commands;

/// <summary>What all replicas of each app use together.</summary>
internal sealed class TopAppsCommand : TopVerb
{
    public TopAppsCommand()
        : base("apps", "Show what all replicas of each app use together, and its share of their requests and limits.", WebApp.KubeKind, WebApp.Plural) =>
        Aliases.Add("app");

    public override IReadOnlyList<string> Examples => ["orc top apps", "orc top apps -A --sort-by cpu", "orc top apps web -o yaml"];

    protected override string UsageKind => "WebAppUsage";

    protected override async Task<IEnumerable<UsageRow>> RowsAsync(
        ListScope scope, Func<string, bool> isAskedFor, Session session, CancellationToken cancellationToken)
    {
        var apps = (await ListScope.ReadAllAsync<WebApp>(session.Api, scope, cancellationToken)).FindAll(app => isAskedFor(app.Metadata.Name));
        var names = apps.Select(app => (app.Metadata.NamespaceProperty, app.Metadata.Name)).ToHashSet();
        var replicas = apps.Count == 0 ? [] : await ReplicasAsync(scope.Namespace, session, cancellationToken);
        var measured = (await new ReplicaUsages(session).ReadAsync(
                replicas.FindAll(replica => names.Contains((replica.Metadata.NamespaceProperty, replica.Spec.AppName))), cancellationToken))
            .ToLookup(replica => (replica.Replica.Metadata.NamespaceProperty, replica.Replica.Spec.AppName));
        return apps.Select(app => UsageRow.Of(app, [.. measured[(app.Metadata.NamespaceProperty, app.Metadata.Name)]]));
    }
}
