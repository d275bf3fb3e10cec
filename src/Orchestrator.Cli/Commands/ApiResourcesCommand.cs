using System.CommandLine;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary>The kinds the server has, and the names they go by.</summary>
internal sealed class ApiResourcesCommand : ApiCommand
{
    public ApiResourcesCommand()
        : base("api-resources", "Show the kinds that the server has.", namespaced: false)
    {
    }

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var table = new TextTable(session.Terminal, "NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND");
        foreach (var kind in (await session.Kinds.AllAsync(cancellationToken)).OrderBy(kind => kind.Group).ThenBy(kind => kind.Plural))
        {
            table.Add(kind.Plural, string.Join(",", kind.ShortNames), kind.ApiVersion, kind.Namespaced ? "true" : "false", kind.Kind);
        }

        table.Write();
        return ExitCodes.Done;
    }
}
