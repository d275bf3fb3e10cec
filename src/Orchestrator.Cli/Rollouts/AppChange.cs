using System.Text.Json.Nodes;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Waiting;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Rollouts;

/// <summary>What to do with an app.</summary>
/// <param name="Spec">Merge patch of its spec; empty when it is as wanted.</param>
/// <param name="Done">What is said after its name when it was done, such as "image updated".</param>
internal sealed record SpecChange(JsonObject Spec, string Done)
{
    /// <summary>Merge patch of its annotations; null leaves them as they are.</summary>
    public JsonObject? Annotations { get; init; }

    public bool IsEmpty => Spec.Count == 0 && Annotations is null;
}

/// <summary>Changes an app's spec by what it is: whoever writes in between makes it be decided anew, on what is there then.</summary>
internal sealed class AppChange(Session session, bool dryRun)
{
    /// <summary>Tries against writers in between. Each is a few milliseconds, and a rollout's status is written a few times a second.</summary>
    private const int MaxConflicts = 10;

    private string Query => $"?fieldManager=orc&fieldValidation=Strict{(dryRun ? "&dryRun=All" : "")}";

    /// <summary>Does it and says so.</summary>
    /// <param name="decide">Given the app as it is. May be called several times.</param>
    /// <exception cref="ApiException">There is no such app, or the server refused the change.</exception>
    public async Task ApplyAsync(Awaited app, Func<JsonObject, Task<SpecChange>> decide, CancellationToken cancellationToken)
    {
        var path = app.Kind.Path(app.Namespace, app.Name);
        for (var conflicts = 0; ; conflicts++)
        {
            var live = await session.Api.GetAsync(path, cancellationToken);
            var change = await decide(live);
            try
            {
                if (!change.IsEmpty)
                {
                    var metadata = new JsonObject { ["resourceVersion"] = (string?)live["metadata"]?["resourceVersion"] };
                    if (change.Annotations is { } annotations)
                    {
                        metadata["annotations"] = annotations;
                    }

                    var patch = new JsonObject { ["metadata"] = metadata, ["spec"] = change.Spec };
                    await session.Api.SendAsync(HttpMethod.Patch, path + Query, patch, ApiConnection.MergePatch, cancellationToken);
                }

                session.Terminal.Out.WriteLine($"{app} {(change.IsEmpty ? "unchanged" : change.Done)}{(dryRun ? " (server dry run)" : "")}");
                return;
            }
            catch (ConflictException) when (conflicts < MaxConflicts)
            {
                // Decide anew.
            }
        }
    }
}
