using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Manifests;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Waiting;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Commands;

/// <summary>Asks for objects to be deleted; what they stand for (containers that drain and stop) goes first, the object last.</summary>
internal sealed class DeleteCommand : ApiCommand, IHasExamples
{
    private readonly Argument<string[]> _what = new("WHAT") { HelpName = "TYPE NAME", Description = "What to delete: TYPE NAME…, or TYPE/NAME….", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string[]> _files = CommonOptions.Files("Delete what these manifests name. Repeatable.");
    private readonly Option<bool> _recursive = CommonOptions.Recursive();
    private readonly Option<string?> _labels = CommonOptions.Selector();
    private readonly Option<bool> _all = new("--all") { Description = "All objects of the kind, in the namespace." };
    private readonly Option<bool> _wait = new("--wait", "-w") { Description = "Wait until they are gone, containers and all." };
    private readonly Option<TypedDuration> _timeout = CommonOptions.Timeout();
    private readonly Option<bool> _ignoreMissing = new("--ignore-not-found") { Description = "What is not there counts as deleted." };

    public DeleteCommand()
        : base("delete", "Delete objects.")
    {
        _what.CompletionSources.Add(Completions.TypesAndNames);
        Arguments.Add(_what);
        Options.Add(_files);
        Options.Add(_recursive);
        Options.Add(_labels);
        Options.Add(_all);
        Options.Add(_wait);
        Options.Add(_timeout);
        Options.Add(_ignoreMissing);
    }

    public IReadOnlyList<string> Examples => ["orc delete webapp web --wait", "orc delete -f web.yaml", "orc delete webapps -l tier=test"];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var targets = await TargetsAsync(line, session, cancellationToken);
        var deleted = new List<Awaited>();
        var (failed, missing) = (targets.Failed, 0);
        foreach (var target in targets.Found)
        {
            try
            {
                var uid = await DeleteAsync(session, target, cancellationToken);
                if (uid is null)
                {
                    session.Terminal.Out.WriteLine($"{target} deleted");
                }
                else
                {
                    session.Terminal.Out.WriteLine($"{target} deletion started");
                    deleted.Add(target with { Uid = uid });
                }
            }
            catch (NotFoundException) when (line.GetValue(_ignoreMissing))
            {
                // As asked.
            }
            catch (ApiException failure)
            {
                missing += failure is NotFoundException ? 1 : 0;
                failed++;
                session.Terminal.Fail(failure.Message);
            }
        }

        if (line.GetValue(_wait) && deleted.Count > 0)
        {
            await new Waiter(session, line.GetValue(_timeout).Span).UntilGoneAsync(deleted, cancellationToken);
        }

        return failed == 0 ? ExitCodes.Done : failed == missing ? ExitCodes.NotFound : ExitCodes.Failed;
    }

    /// <returns>The uid of what still has to go; null if it is gone.</returns>
    private static async Task<string?> DeleteAsync(Session session, Awaited target, CancellationToken cancellationToken)
    {
        var answer = await session.Api.SendAsync(
            HttpMethod.Delete, target.Kind.Path(target.Namespace, target.Name), null, ApiConnection.Json, cancellationToken);

        // The object itself comes back when finalizers hold it, a Status when it is gone.
        return answer["metadata"]?["deletionTimestamp"] is not null ? (string?)answer["metadata"]?["uid"] : null;
    }

    private async Task<(List<Awaited> Found, int Failed)> TargetsAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var (words, files, labels) = (line.GetValue(_what)!, line.GetValue(_files) ?? [], line.GetValue(_labels));
        if (words.Length > 0 == files.Length > 0)
        {
            throw CommandException.Usage("say what to delete: TYPE NAME…, TYPE/NAME…, TYPE -l LABELS, TYPE --all, or -f FILE");
        }

        if (files.Length > 0)
        {
            return await FromManifestsAsync(files, line.GetValue(_recursive), session, cancellationToken);
        }

        var found = new List<Awaited>();
        foreach (var reference in await ObjectReference.ParseAsync(words, session.Kinds, cancellationToken))
        {
            if (reference.Name is not null)
            {
                found.Add(new(reference.Kind, session.NamespaceFor(reference.Kind), reference.Name));
            }
            else if (labels is null && !line.GetValue(_all))
            {
                throw CommandException.Usage($"which {reference.Kind.Plural}? Give names, labels with -l, or --all");
            }
            else
            {
                await foreach (var chunk in ListScope.ListAsync(
                    session.Api, new(reference.Kind, session.NamespaceFor(reference.Kind), null, labels, null), ApiConnection.Json, cancellationToken))
                {
                    found.AddRange((chunk["items"] as JsonArray ?? []).Select(item => new Awaited(
                        reference.Kind, (string?)item!["metadata"]!["namespace"], (string?)item["metadata"]!["name"] ?? "")));
                }
            }
        }

        return (found, 0);
    }

    private static async Task<(List<Awaited> Found, int Failed)> FromManifestsAsync(
        string[] files, bool recursive, Session session, CancellationToken cancellationToken)
    {
        var found = new List<Awaited>();
        var failed = 0;
        foreach (var manifest in ManifestReader.Read(files, recursive, session.Terminal.OpenInput))
        {
            try
            {
                var kind = manifest.Error is null
                    ? await session.Kinds.FindAsync(manifest.ApiVersion, manifest.Kind, cancellationToken)
                    : throw CommandException.Failed(manifest.Error);
                found.Add(new(kind, kind.Namespaced ? manifest.Namespace ?? session.Namespace : null, manifest.Name));
            }
            catch (CommandException failure) when (failure.ExitCode == ExitCodes.Failed)
            {
                failed++;
                session.Terminal.Fail($"{manifest.Place}: {failure.Message}");
            }
        }

        return (found, failed);
    }
}
