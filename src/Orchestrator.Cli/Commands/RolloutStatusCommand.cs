using System.CommandLine;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>Says how far an app's rollout is, and follows it to its end.</summary>
internal sealed class RolloutStatusCommand : ApiCommand, IHasExamples
{
    /// <summary>More than the default of spec.progressDeadlineSeconds, so that a rollout that fails is told as that.</summary>
    private const string DefaultTimeout = "15m";

    private readonly Argument<string> _app = AppArgument.One();

    private readonly Option<bool> _watch = new("--watch", "-w")
    {
        Description = "Follow it until it is complete or has failed; --watch=false only says how it stands.",
        DefaultValueFactory = _ => true,
    };

    private readonly Option<TypedDuration> _timeout = CommonOptions.Timeout("--timeout", "How long to follow, such as 90s or 2m.", DefaultTimeout);

    public RolloutStatusCommand()
        : base("status", "Show how a rollout goes, until it is complete, has failed, or waits for its promotion.")
    {
        Arguments.Add(_app);
        Options.Add(_watch);
        Options.Add(_timeout);
    }

    public IReadOnlyList<string> Examples => ["orc rollout status web", "orc rollout status web --timeout 2m", "orc rollout status web --watch=false"];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var app = await AppArgument.FindAsync(line.GetValue(_app)!, session, cancellationToken);

        // One that is not there is a mistake, not something that went meanwhile.
        var seen = Readiness.Of(await session.Api.GetAsync(app.Kind.Path(app.Namespace, app.Name), cancellationToken));
        if (seen.FailedRevision is not null)
        {
            throw await new FailedRollout(session).TellAsync(app, seen, cancellationToken);
        }

        if (!line.GetValue(_watch))
        {
            session.Terminal.Out.WriteLine($"{app}: {seen.Message}");
            return ExitCodes.Done;
        }

        await new Waiter(session, line.GetValue(_timeout).Span).UntilReadyAsync([app], cancellationToken);
        seen = Readiness.Of(await session.Api.GetAsync(app.Kind.Path(app.Namespace, app.Name), cancellationToken));
        session.Terminal.Out.WriteLine(seen.WaitsForPromotion ? $"{app} waits for its promotion" : $"{app} rolled out");
        return ExitCodes.Done;
    }
}
