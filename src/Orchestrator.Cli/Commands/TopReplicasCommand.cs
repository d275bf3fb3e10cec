using Orchestrator.Api.Replicas;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Usage;

namespace Orchestrator.Cli.Commands;

/// <summary>What each replica uses.</summary>
internal sealed class TopReplicasCommand : TopVerb
{
    public TopReplicasCommand()
        : base("replicas", "Show what each replica uses, and its share of its requests and limits.", Replica.KubeKind, Replica.Plural) =>
        Aliases.Add("replica");

    public override IReadOnlyList<string> Examples => ["orc top replicas", "orc top replicas -l orchestrator.dev/app=web --sort-by memory"];

    protected override string UsageKind => "ReplicaUsage";

    protected override async Task<IEnumerable<UsageRow>> RowsAsync(
        ListScope scope, Func<string, bool> isAskedFor, Session session, CancellationToken cancellationToken)
    {
        var replicas = (await ListScope.ReadAllAsync<Replica>(session.Api, scope, cancellationToken)).FindAll(replica => isAskedFor(replica.Metadata.Name));
        return (await new ReplicaUsages(session).ReadAsync(replicas, cancellationToken)).Select(UsageRow.Of);
    }
}
