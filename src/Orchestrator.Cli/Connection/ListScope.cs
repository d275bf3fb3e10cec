using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using k8s;

namespace Orchestrator.Cli.Connection;

/// <summary>Which objects of a kind a request is about.</summary>
internal sealed record ListScope(ResourceKind Kind, string? Namespace, string? Name, string? LabelSelector, string? FieldSelector)
{
    /// <summary>Objects in one answer; kubectl's number.</summary>
    private const int ChunkSize = 500;

    /// <summary>The answers to a list, chunk by chunk.</summary>
    public static async IAsyncEnumerable<JsonObject> ListAsync(
        ApiConnection api, ListScope scope, string accept, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? next = null;
        do
        {
            var query = scope.Query($"limit={ChunkSize}" + (string.IsNullOrEmpty(next) ? "" : $"&continue={Uri.EscapeDataString(next)}"));
            var answer = await api.GetAsync(scope.Kind.Path(scope.Namespace, null) + query, cancellationToken, accept);
            yield return answer;
            next = (string?)answer["metadata"]?["continue"];
        }
        while (!string.IsNullOrEmpty(next));
    }

    /// <summary>All objects of a scope, typed.</summary>
    public static async Task<List<T>> ReadAllAsync<T>(ApiConnection api, ListScope scope, CancellationToken cancellationToken)
    {
        var found = new List<T>();
        await foreach (var chunk in ListAsync(api, scope, ApiConnection.Json, cancellationToken))
        {
            found.AddRange((chunk["items"] as JsonArray ?? []).Select(item => KubernetesJson.Deserialize<T>(item!.ToJsonString())));
        }

        return found;
    }

    /// <summary>The path of a watch for what comes after a revision.</summary>
    public string WatchPath(string resourceVersion) =>
        Kind.Path(Namespace, null) + Query($"watch=true&allowWatchBookmarks=true&resourceVersion={Uri.EscapeDataString(resourceVersion)}");

    private string Query(string rest)
    {
        var query = "?" + rest;
        if (LabelSelector is not null)
        {
            query += $"&labelSelector={Uri.EscapeDataString(LabelSelector)}";
        }

        var fields = string.Join(',', new[] { Name is null ? null : $"metadata.name={Name}", FieldSelector }.OfType<string>());
        return fields.Length == 0 ? query : $"{query}&fieldSelector={Uri.EscapeDataString(fields)}";
    }
}
