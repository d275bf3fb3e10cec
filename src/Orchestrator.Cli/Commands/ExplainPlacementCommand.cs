using System.CommandLine;
using System.Text.Json;
using k8s;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Rollouts;
using Orchestrator.ControlPlane.Scheduling;

namespace Orchestrator.Cli.Commands;

/// <summary>Shows what each host has for and against one more replica of an app, by the scheduler's own rules.</summary>
internal sealed class ExplainPlacementCommand : ApiCommand, IHasExamples
{
    private static readonly string[] Formats = [OutputFormats.Table, OutputFormats.Json, OutputFormats.Yaml];

    private readonly Argument<string> _app = AppArgument.One();

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "How to print.",
        HelpName = string.Join('|', Formats),
        DefaultValueFactory = _ => OutputFormats.Table,
    };

    public ExplainPlacementCommand()
        : base("explain-placement", "Show where one more replica of an app would go, and what each host has for and against it.")
    {
        _output.AcceptOnlyFromAmong(Formats);
        Arguments.Add(_app);
        Options.Add(_output);
    }

    public IReadOnlyList<string> Examples => ["orc explain-placement web", "orc explain-placement web -o yaml"];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var app = await AppArgument.FindAsync(line.GetValue(_app)!, session, cancellationToken);
        var live = await session.Api.GetAsync(app.Kind.Path(app.Namespace, app.Name), cancellationToken);
        var explanation = PlacementExplanation.Of(
            KubernetesJson.Deserialize<WebApp>(live.ToJsonString()),
            TemplateFields.RevisionOf(live),
            await ReadAllAsync<WebApp>(WebApp.KubeKind, session, cancellationToken),
            await ReadAllAsync<DockerHost>(DockerHost.KubeKind, session, cancellationToken),
            await ReadAllAsync<Replica>(Replica.KubeKind, session, cancellationToken),
            session.Time);
        if (line.GetValue(_output) is { } format and not OutputFormats.Table)
        {
            var document = JsonSerializer.SerializeToNode(explanation, JsonSerializerOptions.Web)!.AsObject();
            new ObjectPrinter(session.Terminal, format).Write(app.Kind, document);
        }
        else
        {
            session.Terminal.Out.Write($"{app}, revision {explanation.Revision}: {explanation.Message}\n");
            PlacementTable.Write(session.Terminal, explanation.Hosts);
        }

        return ExitCodes.Done;
    }

    /// <summary>Of all namespaces: whatever runs on a host takes room there, and may have to be kept away from.</summary>
    private static async Task<List<T>> ReadAllAsync<T>(string kind, Session session, CancellationToken cancellationToken) =>
        await ListScope.ReadAllAsync<T>(
            session.Api, new(await session.Kinds.FindAsync(ApiGroup.GroupVersion, kind, cancellationToken), null, null, null, null), cancellationToken);
}
