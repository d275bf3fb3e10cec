using System.CommandLine.Completions;
using System.Text.Json.Nodes;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Connection;

namespace Orchestrator.Cli.Commands;

/// <summary>What the shell offers for arguments: kinds, and names of objects if the server answers at once.</summary>
internal static class Completions
{
    /// <summary>A server that is there answers in milliseconds, one that is not refuses; this ends a Tab on one that is silent.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly string[] Types = [WebApp.Plural, Replica.Plural, DockerHost.Plural, "namespaces", "secrets", "configmaps", "events", "leases", "orchestrator"];

    /// <summary>For <c>TYPE [NAME…]</c>: kinds first, then names of that kind.</summary>
    public static IEnumerable<CompletionItem> TypesAndNames(CompletionContext context)
    {
        var words = context.ParseResult.CommandResult.Tokens.Select(token => token.Value).ToList();
        if (words.Count > 0 && words[^1] == context.WordToComplete)
        {
            words.RemoveAt(words.Count - 1);
        }

        return words.Count == 0 ? Types.Select(type => new CompletionItem(type)) : NamesOf(words[0]);
    }

    /// <summary>Names of one kind.</summary>
    public static Func<CompletionContext, IEnumerable<CompletionItem>> Names(string type) => _ => NamesOf(type);

    private static IEnumerable<CompletionItem> NamesOf(string type)
    {
        try
        {
            // The shell waits for the answer in a process of its own: there is nothing else to do meanwhile.
            return Task.Run(() => ReadNamesAsync(type)).GetAwaiter().GetResult();
        }
        catch (Exception failure) when (failure is CommandException or Runtime.Clients.ApiException or OperationCanceledException or k8s.Exceptions.KubeConfigException)
        {
            // No server, no such kind: no offer. The command itself will say so.
            return [];
        }
    }

    private static async Task<IEnumerable<CompletionItem>> ReadNamesAsync(string type)
    {
        using var limit = new CancellationTokenSource(Patience, TimeProvider.System);
        var configuration = KubeconfigChoice.Find(null, Environment.GetEnvironmentVariable, DataFolders.Default, DataFolders.Home).Load(null);
        using var api = new ApiConnection(configuration, static _ => { });
        var kind = (await new ResourceCatalog(api).FindAsync(type, limit.Token))[0];
        var @namespace = kind.Namespaced ? configuration.Namespace ?? ApiCommand.DefaultNamespace : null;
        var list = await api.GetAsync(kind.Path(@namespace, null) + "?limit=100", limit.Token);
        return [.. (list["items"] as JsonArray ?? []).Select(item => new CompletionItem((string?)item?["metadata"]?["name"] ?? ""))];
    }
}
