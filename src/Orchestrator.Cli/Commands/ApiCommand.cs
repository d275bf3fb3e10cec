using System.CommandLine;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary>A command that talks to an API server: has the options that say to which, and as whom.</summary>
internal abstract class ApiCommand : Command
{
    public const string DefaultNamespace = "default";

    private readonly Option<string?> _kubeconfig = ConnectionOptions.Kubeconfig();
    private readonly Option<string?> _context = ConnectionOptions.Context();
    private readonly Option<string?> _namespace = ConnectionOptions.Namespace();

    protected ApiCommand(string name, string description, bool namespaced = true)
        : base(name, description)
    {
        Options.Add(_kubeconfig);
        Options.Add(_context);
        if (namespaced)
        {
            Options.Add(_namespace);
        }

        SetAction(InvokeAsync);
    }

    protected abstract Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken);

    /// <summary>What can be said before the server is asked; false when that is all.</summary>
    protected virtual bool NeedsServer(ParseResult line, Terminal terminal) => true;

    private async Task<int> InvokeAsync(ParseResult line, CancellationToken cancellationToken)
    {
        var terminal = ((Invocation)line.InvocationConfiguration).Terminal;
        if (!NeedsServer(line, terminal))
        {
            return ExitCodes.Done;
        }

        var configuration = KubeconfigChoice
            .Find(line.GetValueHereOrBefore(_kubeconfig), Environment.GetEnvironmentVariable, DataFolders.Default, DataFolders.Home)
            .Load(line.GetValueHereOrBefore(_context));
        var given = Options.Contains(_namespace) && line.GetValueHereOrBefore(_namespace) is { Length: > 0 } named ? named : null;
        using var api = new ApiConnection(configuration, terminal.Warn);
        var session = new Session(
            api,
            new ResourceCatalog(api),
            terminal,
            given ?? (string.IsNullOrEmpty(configuration.Namespace) ? DefaultNamespace : configuration.Namespace),
            given is not null,
            TimeProvider.System);
        return await RunAsync(line, session, cancellationToken);
    }
}

/// <summary>What a command works with.</summary>
/// <param name="Namespace">The one to work in.</param>
/// <param name="NamespaceGiven">Whether the user named it on the command line.</param>
internal sealed record Session(
    ApiConnection Api, ResourceCatalog Kinds, Terminal Terminal, string Namespace, bool NamespaceGiven, TimeProvider Time)
{
    /// <summary>The namespace for a kind; null for a cluster-wide one.</summary>
    public string? NamespaceFor(ResourceKind kind) => kind.Namespaced ? Namespace : null;
}
