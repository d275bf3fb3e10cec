using System.CommandLine;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Logs;
using Orchestrator.Cli.Output;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Commands;

/// <summary>What all replicas of an app wrote, line by line, each with its replica's name.</summary>
internal sealed class LogsCommand : ApiCommand, IHasExamples
{
    private const int DefaultTailWhenFollowing = 10;

    private readonly Argument<string> _app = new("APP") { Description = "The app; or replica/NAME for one replica." };
    private readonly Option<bool> _follow = new("--follow", "-f") { Description = "Go on with what is written later, by replicas that come later too." };

    private readonly Option<int?> _tail = new("--tail")
    {
        Description = $"Only the last lines of each replica. [default: all; with --follow {DefaultTailWhenFollowing}]",
        HelpName = "LINES",
    };

    private readonly Option<TypedDuration> _since = CommonOptions.Duration("--since", "Only lines younger than this, such as 10m.", new(TimeSpan.Zero, "all"));
    private readonly Option<bool> _timestamps = new("--timestamps", "-t") { Description = "Show when each line was written." };
    private readonly Option<bool> _noPrefix = new("--no-prefix") { Description = "Lines as they were written, without the replica's name." };

    public LogsCommand()
        : base("logs", "Show what the replicas of an app write.")
    {
        _app.CompletionSources.Add(Completions.Names(WebApp.Plural));
        Arguments.Add(_app);
        Options.Add(_follow);
        Options.Add(_tail);
        Options.Add(_since);
        Options.Add(_timestamps);
        Options.Add(_noPrefix);
    }

    public IReadOnlyList<string> Examples => ["orc logs web", "orc logs -f web --tail 100", "orc logs web --since 10m -t"];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var since = line.GetValue(_since).Span;
        var follow = line.GetValue(_follow);
        var request = new HostAgent.Logs.LogRequest(
            follow,
            line.GetValue(_tail) ?? (follow && since == TimeSpan.Zero ? DefaultTailWhenFollowing : null),
            since == TimeSpan.Zero ? null : session.Time.GetUtcNow() - since);
        var (labels, name) = await SelectAsync(line.GetValue(_app)!, session, cancellationToken);
        var printer = new LogPrinter(session.Terminal, prefix: !line.GetValue(_noPrefix), timestamps: line.GetValue(_timestamps));
        var reader = new AppLogs(session, labels, name);
        return follow
            ? await reader.FollowAsync(request, printer.Write, cancellationToken)
            : await reader.ReadAsync(request, printer.Write, cancellationToken);
    }

    /// <returns>The label selector of the app's replicas; for one replica its name.</returns>
    /// <exception cref="NotFoundException">There is no such app or replica.</exception>
    private static async Task<(string? Labels, string? Name)> SelectAsync(string word, Session session, CancellationToken cancellationToken)
    {
        var (kind, name) = await ObjectReference.ParseOneAsync(word, session.Kinds, cancellationToken);
        await session.Api.GetAsync(kind.Path(session.NamespaceFor(kind), name), cancellationToken);
        return kind.Kind switch
        {
            WebApp.KubeKind => ($"{Labels.App}={name}", null),
            Api.Replicas.Replica.KubeKind => (null, name),
            var other => throw CommandException.Usage($"a {other} has no log; a WebApp or a Replica has"),
        };
    }
}
