using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Orchestrator.HostAgent.Engines;

internal enum EngineTransport
{
    Unix,
    Tcp,

    /// <summary>Through the system's ssh and <c>docker system dial-stdio</c> on the other machine.</summary>
    Ssh,
}

/// <summary>Where an engine listens.</summary>
/// <param name="Host">Name or address, without brackets; of ssh also a name that only the user's ssh configuration knows. Empty for unix.</param>
/// <param name="Port">0 for unix, and for ssh where its configuration says which.</param>
/// <param name="SocketPath">unix: the socket. ssh: the socket on the other machine; null for the one that its docker takes by itself. Null for tcp.</param>
/// <param name="User">ssh: who to log in as; null for whom its configuration says.</param>
internal sealed partial record EngineEndpoint(EngineTransport Transport, string Host, int Port, string? SocketPath = null, string? User = null)
{
    private const string SshScheme = "ssh://";

    /// <exception cref="EngineException">It is none of <c>unix:///path</c>, <c>tcp://host:port</c> and <c>ssh://user@host:port/path</c>.</exception>
    public static EngineEndpoint Parse(string endpoint)
    {
        if (endpoint.StartsWith(SshScheme, StringComparison.Ordinal))
        {
            return ParseSsh(endpoint[SshScheme.Length..]);
        }

        if (Uri.TryCreate(endpoint, UriKind.Absolute, out var uri))
        {
            switch (uri.Scheme)
            {
                case "unix" when uri.AbsolutePath.Length > 1:
                    return new EngineEndpoint(EngineTransport.Unix, "", 0, Uri.UnescapeDataString(uri.AbsolutePath));
                case "tcp" when uri is { Host.Length: > 0, Port: > 0 }:
                    return new EngineEndpoint(EngineTransport.Tcp, uri.Host.Trim('[', ']'), uri.Port);
            }
        }

        throw Odd($"is {endpoint}; it must be unix:///path/to/socket, tcp://host:port or ssh://user@host");
    }

    /// <summary>For unix and tcp.</summary>
    public EndPoint ToEndPoint() =>
        Transport == EngineTransport.Unix ? new UnixDomainSocketEndPoint(SocketPath!)
        : IPAddress.TryParse(Host, out var address) ? new IPEndPoint(address, Port)
        : new DnsEndPoint(Host, Port);

    public override string ToString()
    {
        var host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
        var port = Port.ToString(CultureInfo.InvariantCulture);
        return Transport switch
        {
            EngineTransport.Unix => SocketPath!,
            EngineTransport.Tcp => $"{host}:{port}",
            _ => $"{SshScheme}{(User is null ? "" : User + "@")}{host}{(Port == 0 ? "" : ":" + port)}{SocketPath}",
        };
    }

    // By hand, since Uri makes names lower-case, and ssh's configuration tells Web1 from web1. What is let through is narrow: host and
    // user become words of a command line here, the path one of a shell's on the other machine. Nothing of a password is repeated.
    private static EngineEndpoint ParseSsh(string rest)
    {
        if (rest.AsSpan().IndexOfAny('?', '#') >= 0)
        {
            throw Odd("has a query or a fragment (? or #), which ssh:// does not know; it must be ssh://user@host:port/path/to/socket");
        }

        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (authority, path) = slash < 0 ? (rest, "") : (rest[..slash], rest[slash..]);
        var at = authority.LastIndexOf('@');
        var user = at < 0 ? null : authority[..at];
        if (user?.Contains(':', StringComparison.Ordinal) == true)
        {
            throw Odd("has a password in it, which ssh takes from nobody but a terminal: take it out, and let ssh log in with a key");
        }

        var (host, port) = authority[(at + 1)..] is var address && HostAndPort().Match(address) is { Success: true } parts
            ? (parts.Groups["host"].Value.Trim('[', ']'), parts.Groups["port"].Value)
            : throw Odd($"has the host '{address}'; it must be ssh://user@host, ssh://user@host:port or ssh://user@[IPv6]:port");
        if (user is not null && !UserName().IsMatch(user))
        {
            throw Odd($"has the user '{user}': letters, digits, dashes, dots and underscores are taken, and no dash first; ssh's configuration can name any other");
        }

        if (!RemotePath().IsMatch(path))
        {
            throw Odd($"has the path '{path}': of the socket on that machine letters, digits, dashes, dots, underscores and slashes are taken");
        }

        var number = 0;
        return port.Length > 0 && !(int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number is > 0 and <= IPEndPoint.MaxPort)
            ? throw Odd($"has the port {port}; it must be between 1 and {IPEndPoint.MaxPort}")
            : new EngineEndpoint(EngineTransport.Ssh, host, number, path.Trim('/').Length == 0 ? null : path, user);
    }

    private static EngineException Odd(string what) => new(EngineFailure.Incompatible, $"spec.endpoint {what}");

    // The same as in crds/dockerhosts.yaml.
    [GeneratedRegex(@"^(?<host>[a-zA-Z0-9]([-_a-zA-Z0-9.]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(:(?<port>[0-9]{1,5}))?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex HostAndPort();

    [GeneratedRegex(@"^[a-zA-Z0-9_][-a-zA-Z0-9_.]*\z")]
    private static partial Regex UserName();

    [GeneratedRegex(@"^(/[-a-zA-Z0-9_./]*)?\z")]
    private static partial Regex RemotePath();
}
