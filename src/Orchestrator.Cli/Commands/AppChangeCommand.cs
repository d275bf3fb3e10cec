using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Rollouts;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>A command that changes the spec of one app, and can wait until that has come about.</summary>
internal abstract class AppChangeCommand : ApiCommand
{
    private readonly Option<string?> _dryRun = CommonOptions.DryRun();
    private readonly Option<bool> _wait = new("--wait", "-w") { Description = "Wait until the rollout is complete, or has failed." };
    private readonly Option<TypedDuration> _timeout = CommonOptions.Timeout();

    /// <param name="startsRollout">Whether there is something to wait for afterwards.</param>
    protected AppChangeCommand(string name, string description, bool startsRollout = true)
        : base(name, description)
    {
        Arguments.Add(App);
        if (startsRollout)
        {
            Options.Add(_wait);
            Options.Add(_timeout);
        }

        Options.Add(_dryRun);
    }

    protected Argument<string> App { get; } = AppArgument.One();

    /// <param name="live">The app as the server has it.</param>
    protected abstract Task<SpecChange> ChangeAsync(ParseResult line, Session session, Awaited app, JsonObject live, CancellationToken cancellationToken);

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var app = await AppArgument.FindAsync(line.GetValue(App)!, session, cancellationToken);
        var dryRun = line.GetValue(_dryRun) is not null;
        await new AppChange(session, dryRun).ApplyAsync(app, live => ChangeAsync(line, session, app, live, cancellationToken), cancellationToken);
        if (Options.Contains(_wait) && line.GetValue(_wait) && !dryRun)
        {
            await new Waiter(session, line.GetValue(_timeout).Span).UntilReadyAsync([app], cancellationToken);
        }

        return ExitCodes.Done;
    }
}

/// <summary>A command that sets fields of an app's template.</summary>
internal abstract class TemplateChangeCommand(string name, string description, string done) : AppChangeCommand(name, description)
{
    protected abstract void Change(ParseResult line, JsonObject template);

    protected override Task<SpecChange> ChangeAsync(
        ParseResult line, Session session, Awaited app, JsonObject live, CancellationToken cancellationToken)
    {
        var wanted = TemplateFields.Of(live["spec"]);
        Change(line, wanted);
        return Task.FromResult(new SpecChange(TemplateFields.Patch(live["spec"], wanted), done));
    }
}
