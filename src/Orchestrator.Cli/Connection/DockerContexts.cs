using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Connection;

/// <summary>An engine as one of Docker's own contexts names it.</summary>
/// <param name="Tls">Its three files as PEM; null without TLS. Not printed: one is a key.</param>
internal sealed record DockerContext(string Endpoint, (string Authority, string Certificate, string Key)? Tls)
{
    public override string ToString() => Endpoint;
}

/// <summary>
/// Docker's own contexts, as its client keeps them: <c>contexts/meta/ID/meta.json</c> and <c>contexts/tls/ID/docker/*.pem</c> below
/// its folder, where ID is the SHA-256 of the context's name.
/// </summary>
/// <param name="folder">Docker's folder of settings: <c>$DOCKER_CONFIG</c>, by default <c>~/.docker</c>.</param>
internal sealed class DockerContexts(string folder)
{
    private const string EndpointName = "docker";

    private static readonly string[] Schemes = ["unix://", "tcp://", "ssh://"];

    public static DockerContexts OfUser() => new(
        Environment.GetEnvironmentVariable("DOCKER_CONFIG") is { Length: > 0 } chosen ? chosen : Path.Combine(DataFolders.Home, ".docker"));

    /// <exception cref="CommandException">There is no such context, or it names an engine that cannot be reached from here.</exception>
    public DockerContext Read(string name)
    {
        if (name == "default")
        {
            throw CommandException.Usage("--docker-context default: that one is not stored, it is whatever DOCKER_HOST says; give --endpoint");
        }

        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        var file = Path.Combine(folder, "contexts", "meta", id, "meta.json");
        if (!File.Exists(file))
        {
            throw CommandException.Failed($"--docker-context {name}: there is no such context in {folder}; `docker context ls` shows those there are");
        }

        var (host, skipsVerification) = EndpointOf(name, file);
        if (!Schemes.Any(scheme => host.StartsWith(scheme, StringComparison.Ordinal)))
        {
            throw CommandException.Failed($"--docker-context {name}: its engine is at {host}, and a host is reached by {string.Join(", ", Schemes)} only");
        }

        // What a context says of TLS is of no account to Docker's client either where there is none.
        return host.StartsWith("ssh://", StringComparison.Ordinal) ? new(host, null)
            : skipsVerification
            ? throw CommandException.Failed($"--docker-context {name} skips the check of the engine's certificate (SkipTLSVerify), and a host is always checked; give --endpoint and --tls-dir")
            : new(host, TlsOf(name, Path.Combine(folder, "contexts", "tls", id, EndpointName)));
    }

    private static (string Host, bool SkipsVerification) EndpointOf(string name, string file)
    {
        try
        {
            var endpoint = JsonNode.Parse(ReadText(file))?["Endpoints"]?[EndpointName];
            return (string?)endpoint?["Host"] is { Length: > 0 } host
                ? (host, (bool?)endpoint["SkipTLSVerify"] ?? false)
                : throw CommandException.Failed($"--docker-context {name}: {file} names no Docker engine (Endpoints.docker.Host)");
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw CommandException.Failed($"--docker-context {name}: {file} is not what Docker writes: {failure.Message}");
        }
    }

    private static (string Authority, string Certificate, string Key)? TlsOf(string name, string tls)
    {
        string[] files = [Path.Combine(tls, "ca.pem"), Path.Combine(tls, "cert.pem"), Path.Combine(tls, "key.pem")];
        return files.Where(file => !File.Exists(file)).ToList() switch
        {
            { Count: 0 } => (ReadText(files[0]), ReadText(files[1]), ReadText(files[2])),
            { Count: 3 } => null,
            var missing => throw CommandException.Failed(
                $"--docker-context {name}: mutual TLS takes ca.pem, cert.pem and key.pem; there is no {string.Join(" and no ", missing)}"),
        };
    }

    private static string ReadText(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Failed($"cannot read {file}: {failure.Message}");
        }
    }
}
