using System.CommandLine;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Rollouts;

namespace Orchestrator.Cli.Commands;

/// <summary>Shows the revisions of an app that are kept to go back to.</summary>
internal sealed class RolloutHistoryCommand : ApiCommand, IHasExamples
{
    private readonly Argument<string> _app = AppArgument.One();
    private readonly Option<long?> _revision = new("--revision") { Description = "Show the template of this one.", HelpName = "N" };

    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "How to print. Default: a table; the template of one revision as yaml.",
        HelpName = $"{OutputFormats.Yaml}|{OutputFormats.Json}|{OutputFormats.Name}",
    };

    public RolloutHistoryCommand()
        : base("history", "Show the revisions of an app that can be gone back to.")
    {
        _output.AcceptOnlyFromAmong(OutputFormats.Yaml, OutputFormats.Json, OutputFormats.Name);
        Arguments.Add(_app);
        Options.Add(_revision);
        Options.Add(_output);
    }

    public IReadOnlyList<string> Examples => ["orc rollout history web", "orc rollout history web --revision 3"];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var app = await AppArgument.FindAsync(line.GetValue(_app)!, session, cancellationToken);
        var live = await session.Api.GetAsync(app.Kind.Path(app.Namespace, app.Name), cancellationToken);
        var kept = await AppRevision.ListAsync(session, app, live, cancellationToken);
        var (number, format) = (line.GetValue(_revision), line.GetValue(_output));
        var kind = await AppRevision.KindAsync(session, cancellationToken);
        var printer = new ObjectPrinter(session.Terminal, format ?? OutputFormats.Yaml);
        if (number is not null)
        {
            var one = AppRevision.Numbered(number.Value, kept, app);
            printer.Write(kind, format == OutputFormats.Name ? one.Object : one.Template);
        }
        else if (format is not null)
        {
            printer.WriteList([.. kept.Select(one => (kind, one.Object))]);
        }
        else if (kept.Count == 0)
        {
            session.Terminal.Note($"{app} has no revisions yet.");
        }
        else
        {
            RevisionTable.Of(session, kept, live).Write();
        }

        return ExitCodes.Done;
    }
}
