using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Cli.Connection;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Commands;

/// <summary>The Secrets that <c>orc hosts add</c> makes of the TLS files or the ssh key of its hosts.</summary>
internal static class HostSecrets
{
    /// <summary>Marks a Secret as made by the command for one host, so that it may be removed with it.</summary>
    private const string ForHostLabel = Labels.Host;

    public const string SshType = "kubernetes.io/ssh-auth";

    private const string PrivateKeyKey = "ssh-privatekey";
    private const string KnownHostsKey = "known_hosts";

    /// <summary>Keys that a Secret may be without, and that it is not to keep from before then.</summary>
    private static readonly string[] Optional = [KnownHostsKey];

    public static string NameForTls(string host) => host + "-docker-tls";

    public static string NameForSsh(string host) => host + "-docker-ssh";

    public static JsonObject OfTls(string host, string authority, string certificate, string key) =>
        Manifest(host, NameForTls(host), "Opaque", ("ca.crt", authority), ("tls.crt", certificate), ("tls.key", key));

    /// <param name="knownHosts">Null where ssh's own lists are to count.</param>
    public static JsonObject OfSsh(string host, string key, string? knownHosts) => Manifest(
        host,
        NameForSsh(host),
        SshType,
        knownHosts is null ? [(PrivateKeyKey, key)] : [(PrivateKeyKey, key), (KnownHostsKey, knownHosts)]);

    /// <summary>Makes a Secret that a host of this name has left what the manifest says.</summary>
    /// <returns>A merge patch.</returns>
    public static JsonObject ChangeTo(JsonObject manifest)
    {
        var data = manifest["data"]!.DeepClone().AsObject();
        foreach (var key in Optional.Where(key => !data.ContainsKey(key)))
        {
            data[key] = null;
        }

        return new JsonObject { ["data"] = data, ["metadata"] = new JsonObject { ["labels"] = manifest["metadata"]!["labels"]!.DeepClone() } };
    }

    public static async Task DeleteAsync(Session session, string host, CancellationToken cancellationToken)
    {
        var secrets = await session.Kinds.FindAsync("v1", "Secret", cancellationToken);
        foreach (var name in (string[])[NameForTls(host), NameForSsh(host)])
        {
            var path = secrets.Path(ApiGroup.SystemNamespace, name);
            try
            {
                var found = await session.Api.GetAsync(path, cancellationToken);
                if ((string?)found["metadata"]?["labels"]?[ForHostLabel] == host)
                {
                    await session.Api.SendAsync(HttpMethod.Delete, path, null, ApiConnection.Json, cancellationToken);
                    session.Terminal.Out.WriteLine($"{secrets.Label}/{name} deleted");
                }
            }
            catch (NotFoundException)
            {
                // It never had one, or somebody removed it already.
            }
        }
    }

    private static JsonObject Manifest(string host, string name, string type, params ReadOnlySpan<(string Key, string Text)> content)
    {
        var data = new JsonObject();
        foreach (var (key, text) in content)
        {
            data[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
        }

        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["type"] = type,
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["namespace"] = ApiGroup.SystemNamespace,
                ["labels"] = new JsonObject { [ForHostLabel] = host },
            },
            ["data"] = data,
        };
    }
}
