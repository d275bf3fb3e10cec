using System.Text;
using System.Text.Json;
using Orchestrator.Api;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Images;

/// <summary>
/// Registry logins of a Secret of type <c>kubernetes.io/dockerconfigjson</c>: Docker's own config.json. Which one is for which
/// image is decided as the kubelet does: by registry host, <c>*</c> for one label of a name, and the longer path first.
/// </summary>
internal sealed class DockerConfig(IReadOnlyList<RegistryCredentials> logins)
{
    public const string SecretKey = ".dockerconfigjson";

    private const string DockerHub = "docker.io";
    private static readonly string[] DockerHubNames = ["index.docker.io", "registry-1.docker.io", DockerHub];

    /// <exception cref="FormatException">It is not a Docker configuration; the message holds nothing of it.</exception>
    public static DockerConfig Parse(byte[] json)
    {
        try
        {
            using var config = JsonDocument.Parse(json);
            return config.RootElement.TryGetProperty("auths", out var auths) && auths.ValueKind == JsonValueKind.Object
                ? new DockerConfig([.. auths.EnumerateObject().Select(entry => Login(entry.Name, entry.Value))])
                : new DockerConfig([]);
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException)
        {
            throw new FormatException($"{SecretKey} is not a Docker configuration with auths");
        }
    }

    /// <summary>Logins that may be for the image, the most specific first.</summary>
    public IEnumerable<RegistryCredentials> For(ImageReference image) =>
        logins.Where(login => IsFor(login.Server, image)).OrderByDescending(login => Split(login.Server).Path.Length);

    private static RegistryCredentials Login(string server, JsonElement entry)
    {
        var (user, password) = (Text(entry, "username"), Text(entry, "password"));
        if (user is null && Text(entry, "auth") is { Length: > 0 } encoded)
        {
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(encoded)).Split(':', 2);
            (user, password) = (pair[0], pair.Length > 1 ? pair[1].TrimEnd('\0') : "");
        }

        return new RegistryCredentials(server, user, password, Text(entry, "identitytoken"));
    }

    private static string? Text(JsonElement entry, string name) => entry.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static bool IsFor(string server, ImageReference image)
    {
        var (host, path) = Split(server);
        if (DockerHubNames.Contains(host, StringComparer.OrdinalIgnoreCase))
        {
            // Docker Hub's key is a URL with a version for historical reasons: https://index.docker.io/v1/.
            return image.Registry == DockerHub && (path is "" or "v1" or "v2" || StartsWithPath(image.Repository, path));
        }

        return HostMatches(host, image.Registry) && (path.Length == 0 || StartsWithPath(image.Repository, path));
    }

    private static bool StartsWithPath(string repository, string path) =>
        repository.StartsWith(path, StringComparison.Ordinal) && (repository.Length == path.Length || repository[path.Length] == '/');

    private static bool HostMatches(string pattern, string host)
    {
        var (patternLabels, hostLabels) = (pattern.Split('.'), host.Split('.'));
        return patternLabels.Length == hostLabels.Length
            && patternLabels.Zip(hostLabels).All(pair => pair.First == "*" || string.Equals(pair.First, pair.Second, StringComparison.OrdinalIgnoreCase));
    }

    private static (string Host, string Path) Split(string server)
    {
        var rest = server.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme ? server[(scheme + 3)..] : server;
        return rest.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? (rest[..slash], rest[(slash + 1)..].TrimEnd('/')) : (rest, "");
    }
}
