using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>Sets how many replicas an app has, through its scale subresource.</summary>
internal sealed class ScaleCommand : ApiCommand, IHasExamples
{
    private readonly Argument<string> _app = new("APP") { Description = "The app: its name, or TYPE/NAME of anything that scales." };
    private readonly Option<int> _replicas = new("--replicas") { Description = "How many; 0 stops them all.", HelpName = "N", Required = true };
    private readonly Option<bool> _wait = new("--wait", "-w") { Description = "Wait until that many are ready." };
    private readonly Option<TypedDuration> _timeout = CommonOptions.Timeout();

    public ScaleCommand()
        : base("scale", "Set how many replicas an app has.")
    {
        _app.CompletionSources.Add(Completions.Names(WebApp.Plural));
        Arguments.Add(_app);
        Options.Add(_replicas);
        Options.Add(_wait);
        Options.Add(_timeout);
    }

    public IReadOnlyList<string> Examples => ["orc scale web --replicas 10", "orc scale web --replicas 3 --wait --timeout 1m"];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var (kind, name) = await ObjectReference.ParseOneAsync(line.GetValue(_app)!, session.Kinds, cancellationToken);
        if (kind is { Group: ApiGroup.Name, Kind: WebApp.KubeKind })
        {
            await RefuseAutoscaledAsync(session, kind, name, cancellationToken);
        }

        var patch = new JsonObject { ["spec"] = new JsonObject { ["replicas"] = line.GetValue(_replicas) } };
        await session.Api.SendAsync(
            HttpMethod.Patch, kind.Path(session.NamespaceFor(kind), name, "scale"), patch, ApiConnection.MergePatch, cancellationToken);
        session.Terminal.Out.WriteLine($"{kind.Label}/{name} scaled");
        if (line.GetValue(_wait))
        {
            await new Waiter(session, line.GetValue(_timeout).Span).UntilReadyAsync([new(kind, session.NamespaceFor(kind), name)], cancellationToken);
        }

        return ExitCodes.Done;
    }

    /// <summary>A real cluster's server would take it, to no effect.</summary>
    /// <exception cref="CommandException">The app is autoscaled.</exception>
    private static async Task RefuseAutoscaledAsync(Session session, ResourceKind kind, string name, CancellationToken cancellationToken)
    {
        var app = await session.Api.GetAsync(kind.Path(session.NamespaceFor(kind), name), cancellationToken);
        if (app["spec"]?["autoscaling"] is JsonObject autoscaling)
        {
            throw CommandException.Failed(
                $"{kind.Label}/{name} is autoscaled, from {autoscaling["minReplicas"] ?? 1} to {autoscaling["maxReplicas"]} replicas: "
                + $"change these with `orc autoscale {name} --min N --max N`, or end it with `orc autoscale {name} --off`");
        }
    }
}
