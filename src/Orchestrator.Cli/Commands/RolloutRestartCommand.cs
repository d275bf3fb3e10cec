using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Rollouts;
using Orchestrator.Cli.Waiting;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Commands;

/// <summary>Replaces all replicas of apps by new ones of the same template, by a rollout like any other.</summary>
internal sealed class RolloutRestartCommand : ApiCommand, IHasExamples
{
    private readonly Argument<string[]> _apps = AppArgument.Several();
    private readonly Option<string?> _dryRun = CommonOptions.DryRun();
    private readonly Option<bool> _wait = new("--wait", "-w") { Description = "Wait until the rollouts are complete, or one has failed." };
    private readonly Option<TypedDuration> _timeout = CommonOptions.Timeout();

    public RolloutRestartCommand()
        : base("restart", "Replace all replicas by new ones, as a new revision would.")
    {
        Arguments.Add(_apps);
        Options.Add(_wait);
        Options.Add(_timeout);
        Options.Add(_dryRun);
    }

    public IReadOnlyList<string> Examples => ["orc rollout restart web", "orc rollout restart web shop --wait"];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var dryRun = line.GetValue(_dryRun) is not null;
        var restarted = new List<Awaited>();
        var codes = new HashSet<int>();
        foreach (var app in await FindAsync(line.GetValue(_apps)!, session, cancellationToken))
        {
            try
            {
                await new AppChange(session, dryRun).ApplyAsync(app, live => Task.FromResult(Restart(app, live, session.Time.GetUtcNow())), cancellationToken);
                restarted.Add(app);
            }
            catch (Exception failure) when (failure is ApiException or CommandException { ExitCode: ExitCodes.Failed })
            {
                var (code, message) = Failures.Describe(failure);
                codes.Add(code);
                session.Terminal.Fail(message);
            }
        }

        if (line.GetValue(_wait) && !dryRun && restarted.Count > 0)
        {
            await new Waiter(session, line.GetValue(_timeout).Span).UntilReadyAsync(restarted, cancellationToken);
        }

        return codes.Count switch { 0 => ExitCodes.Done, 1 => codes.Single(), _ => ExitCodes.Failed };
    }

    /// <summary>A mistake in one of the names is told before the first app is restarted.</summary>
    private static async Task<List<Awaited>> FindAsync(string[] words, Session session, CancellationToken cancellationToken)
    {
        var apps = new List<Awaited>();
        foreach (var word in words)
        {
            apps.Add(await AppArgument.FindAsync(word, session, cancellationToken));
        }

        return apps;
    }

    private static SpecChange Restart(Awaited app, JsonObject live, DateTimeOffset now)
    {
        if (RolloutPauseCommand.IsPaused(live))
        {
            throw CommandException.Failed($"cannot restart {app} while it is paused; resume it first with 'orc rollout resume {app.Name}'");
        }

        var wanted = TemplateFields.Of(live["spec"]);

        // A second restart within the second changes nothing: the first has hardly begun.
        wanted["restartedAt"] = now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return new(TemplateFields.Patch(live["spec"], wanted), "restarted");
    }
}
