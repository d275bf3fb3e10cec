using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Cli.Connection;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Commands;

/// <summary>The Secrets that <c>orc hosts add</c> makes for the TLS of its hosts.</summary>
internal static class HostSecrets
{
    /// <summary>Marks a Secret as made by the command for one host, so that it may be removed with it.</summary>
    private const string ForHostLabel = Labels.Host;

    public static string NameFor(string host) => host + "-docker-tls";

    public static JsonObject Manifest(string host, string authority, string certificate, string key)
    {
        static string Encode(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["type"] = "Opaque",
            ["metadata"] = new JsonObject
            {
                ["name"] = NameFor(host),
                ["namespace"] = ApiGroup.SystemNamespace,
                ["labels"] = new JsonObject { [ForHostLabel] = host },
            },
            ["data"] = new JsonObject { ["ca.crt"] = Encode(authority), ["tls.crt"] = Encode(certificate), ["tls.key"] = Encode(key) },
        };
    }

    public static async Task DeleteAsync(Session session, string host, CancellationToken cancellationToken)
    {
        var secrets = await session.Kinds.FindAsync("v1", "Secret", cancellationToken);
        var path = secrets.Path(ApiGroup.SystemNamespace, NameFor(host));
        try
        {
            var found = await session.Api.GetAsync(path, cancellationToken);
            if ((string?)found["metadata"]?["labels"]?[ForHostLabel] == host)
            {
                await session.Api.SendAsync(HttpMethod.Delete, path, null, ApiConnection.Json, cancellationToken);
                session.Terminal.Out.WriteLine($"{secrets.Label}/{NameFor(host)} deleted");
            }
        }
        catch (NotFoundException)
        {
            // It never had one, or somebody removed it already.
        }
    }
}
