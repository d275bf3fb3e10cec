using System.CommandLine;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>Takes hosts out: their replicas go elsewhere first. The Secret that <c>hosts add</c> made goes with its host.</summary>
internal sealed class HostsRemoveCommand : ApiCommand
{
    private readonly Argument<string[]> _names = new("NAME") { Description = "Hosts.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<bool> _noWait = new("--no-wait") { Description = "Do not wait until they are gone; their Secrets then stay." };
    private readonly Option<TypedDuration> _timeout = CommonOptions.Timeout();

    public HostsRemoveCommand()
        : base("remove", "Take hosts out; their replicas go elsewhere first.", namespaced: false)
    {
        Aliases.Add("rm");
        _names.CompletionSources.Add(Completions.Names(DockerHost.Plural));
        Arguments.Add(_names);
        Options.Add(_noWait);
        Options.Add(_timeout);
    }

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, DockerHost.KubeKind, cancellationToken);
        var leaving = new List<Awaited>();

        // All are looked at before the first goes.
        foreach (var (name, path) in line.GetValue(_names)!.Select(name => (name, kind.Path(null, name))).ToList())
        {
            var answer = await session.Api.SendAsync(HttpMethod.Delete, path, null, ApiConnection.Json, cancellationToken);
            var uid = answer["metadata"]?["deletionTimestamp"] is null ? null : (string?)answer["metadata"]?["uid"];
            session.Terminal.Out.WriteLine($"{kind.Label}/{name} {(uid is null ? "deleted" : "deletion started")}");
            if (uid is not null)
            {
                leaving.Add(new(kind, null, name, uid));
            }
            else
            {
                await HostSecrets.DeleteAsync(session, name, cancellationToken);
            }
        }

        if (leaving.Count == 0)
        {
            return ExitCodes.Done;
        }

        if (line.GetValue(_noWait))
        {
            return ExitCodes.Done;
        }

        await new Waiter(session, line.GetValue(_timeout).Span).UntilGoneAsync(leaving, cancellationToken);
        foreach (var host in leaving)
        {
            await HostSecrets.DeleteAsync(session, host.Name, cancellationToken);
        }

        return ExitCodes.Done;
    }
}
