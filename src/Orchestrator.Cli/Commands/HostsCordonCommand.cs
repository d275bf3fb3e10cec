using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Cli.Connection;

namespace Orchestrator.Cli.Commands;

/// <summary><c>cordon</c> and <c>uncordon</c>: whether a host takes new replicas.</summary>
internal sealed class HostsCordonCommand : ApiCommand
{
    private readonly Argument<string[]> _names = new("NAME") { Description = "Hosts.", Arity = ArgumentArity.OneOrMore };
    private readonly bool _unschedulable;

    public HostsCordonCommand(string name, string description, bool unschedulable)
        : base(name, description, namespaced: false)
    {
        _unschedulable = unschedulable;
        _names.CompletionSources.Add(Completions.Names(DockerHost.Plural));
        Arguments.Add(_names);
    }

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, DockerHost.KubeKind, cancellationToken);
        foreach (var name in line.GetValue(_names)!)
        {
            var spec = new JsonObject { ["unschedulable"] = _unschedulable ? true : null };
            if (!_unschedulable)
            {
                spec["drain"] = null;
            }

            var patch = new JsonObject { ["spec"] = spec };
            await session.Api.SendAsync(HttpMethod.Patch, kind.Path(null, name), patch, ApiConnection.MergePatch, cancellationToken);
            session.Terminal.Out.WriteLine($"{kind.Label}/{name} {(_unschedulable ? "cordoned" : "uncordoned")}");
        }

        return ExitCodes.Done;
    }
}
