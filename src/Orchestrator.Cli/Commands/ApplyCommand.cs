using System.CommandLine;
using System.Net;
using Orchestrator.Cli.Applying;
using Orchestrator.Cli.Manifests;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Waiting;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Commands;

/// <summary>Makes what manifests say true. A bad document is reported and does not keep the others from being applied.</summary>
internal sealed class ApplyCommand : ApiCommand, IHasExamples
{
    private readonly Option<string[]> _files = CommonOptions.Files("Manifests to apply: a file, a folder, or - for standard input. Repeatable.");
    private readonly Option<bool> _recursive = CommonOptions.Recursive();
    private readonly Option<bool> _wait = new("--wait", "-w") { Description = "Wait until all that was applied is ready." };
    private readonly Option<TypedDuration> _timeout = CommonOptions.Timeout();
    private readonly Option<string?> _dryRun = CommonOptions.DryRun();

    public ApplyCommand()
        : base("apply", "Create or change objects so that they are as manifests say.")
    {
        _files.Required = true;
        Options.Add(_files);
        Options.Add(_recursive);
        Options.Add(_wait);
        Options.Add(_timeout);
        Options.Add(_dryRun);
    }

    public IReadOnlyList<string> Examples =>
    [
        "orc apply -f web.yaml",
        "orc apply -f web.yaml --wait --timeout 2m",
        "orc apply -R -f manifests/",
        "cat web.yaml | orc apply -f - --dry-run=server",
    ];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var dryRun = line.GetValue(_dryRun) is not null;
        var applier = new Applier(session, dryRun);
        var applied = new List<Applied>();
        var failed = 0;
        foreach (var manifest in ManifestReader.Read(line.GetValue(_files)!, line.GetValue(_recursive), session.Terminal.OpenInput))
        {
            try
            {
                if (manifest.Error is not null)
                {
                    throw CommandException.Failed(manifest.Error);
                }

                var result = await applier.ApplyAsync(manifest, cancellationToken);
                applied.Add(result);
                session.Terminal.Out.WriteLine(
                    $"{result.Kind.Label}/{result.Name} {result.Outcome.ToString().ToLowerInvariant()}{(dryRun ? " (server dry run)" : "")}");
            }
            catch (Exception failure) when (failure is ApiException { Code: not HttpStatusCode.Unauthorized } or CommandException { ExitCode: ExitCodes.Failed })
            {
                failed++;
                session.Terminal.Fail($"{manifest.Place}: {Failures.Describe(failure).Message}");
            }
        }

        if (failed == 0 && applied.Count == 0)
        {
            throw CommandException.Failed("the manifests have no objects");
        }

        if (line.GetValue(_wait) && !dryRun && applied.Count > 0)
        {
            var waiting = applied.Select(result => new Awaited(result.Kind, result.Namespace, result.Name)).ToList();
            await new Waiter(session, line.GetValue(_timeout).Span).UntilReadyAsync(waiting, cancellationToken);
        }

        return failed == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }
}
