using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>
/// Empties hosts. What it writes is the wish alone (<see cref="DockerHostSpec.Drain"/>): the controllers move the replicas, also when
/// nobody waits any more.
/// </summary>
internal sealed class HostsDrainCommand : ApiCommand, IHasExamples
{
    private readonly Argument<string[]> _names = new("NAME") { Description = "Hosts.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<bool> _noWait = new("--no-wait") { Description = "Do not wait until they carry nothing." };
    private readonly Option<TypedDuration> _timeout = CommonOptions.Timeout();

    public HostsDrainCommand()
        : base("drain", "Move all replicas off a host, new ones first, until `uncordon`.", namespaced: false)
    {
        _names.CompletionSources.Add(Completions.Names(DockerHost.Plural));
        Arguments.Add(_names);
        Options.Add(_noWait);
        Options.Add(_timeout);
    }

    public IReadOnlyList<string> Examples => ["orc hosts drain h2", "orc hosts drain h2 --timeout 30m", "orc hosts uncordon h2"];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, DockerHost.KubeKind, cancellationToken);
        var leaving = line.GetValue(_names)!.Distinct().Select(name => new Awaited(kind, null, name)).ToList();
        foreach (var host in leaving)
        {
            var patch = new JsonObject { ["spec"] = new JsonObject { ["drain"] = true } };
            await session.Api.SendAsync(HttpMethod.Patch, kind.Path(null, host.Name), patch, ApiConnection.MergePatch, cancellationToken);
            session.Terminal.Out.WriteLine($"{host} draining");
        }

        if (line.GetValue(_noWait))
        {
            return ExitCodes.Done;
        }

        try
        {
            await new Waiter(session, line.GetValue(_timeout).Span).UntilDrainedAsync(leaving, cancellationToken);
        }
        catch (CommandException late) when (late.ExitCode == ExitCodes.TimedOut)
        {
            throw new CommandException(late.ExitCode, $"{late.Message}; it goes on by itself, `orc hosts uncordon` ends it", late);
        }

        foreach (var host in leaving)
        {
            session.Terminal.Out.WriteLine($"{host} drained");
        }

        return ExitCodes.Done;
    }
}
