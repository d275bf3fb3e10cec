using System.Globalization;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>
/// Sentences for the ways in which a connection through ssh does not come about. ssh and docker tell by words on standard error only:
/// they are those of OpenSSH since 7.6 and of Docker's client since 18.09, which do not translate them.
/// </summary>
internal static class SshErrors
{
    /// <summary>As every shell says it. Up to here an exit code is the remote command's; above, it is a signal's or ssh's own (255).</summary>
    public const int NoSuchCommand = 127;

    /// <param name="identity">Null where the key is left to ssh's configuration.</param>
    /// <param name="exitCode">Null while it runs: as master it stays for the sake of others when its own command has ended.</param>
    /// <param name="errors">What it wrote to standard error.</param>
    public static EngineException Explain(EngineEndpoint endpoint, SshIdentity? identity, int? exitCode, string errors)
    {
        // What it says when it finds no room in the connection that is there, and makes one of its own.
        var lines = errors
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(line => !line.StartsWith("mux_client", StringComparison.Ordinal) && !line.StartsWith("ControlSocket ", StringComparison.Ordinal))
            .ToList();
        var words = string.Join('\n', lines);
        bool Says(string text) => words.Contains(text, StringComparison.OrdinalIgnoreCase);
        var (machine, login) = (endpoint.Host, LoginOf(endpoint));

        // The last line, since warnings and pictures come first.
        var last = PrintableLine.Of(lines.LastOrDefault() ?? "", EngineErrors.MaxLength);
        return exitCode > NoSuchCommand ? OfSsh() : OfDocker();

        // After the path of our own file.
        string Reason(string start) => PrintableLine.Of(lines.First(line => line.StartsWith(start, StringComparison.Ordinal)).Split("\": ")[^1], EngineErrors.MaxLength) ?? "";

        EngineException OfSsh() =>
            Says("Could not resolve hostname") ? new(EngineFailure.Unreachable, $"the name {machine} cannot be resolved (by ssh)")
            : Says("identification has changed") ? new(EngineFailure.Ssh, identity is { HasKnownHosts: true }
                ? $"the host key of {machine} is another than {SshIdentity.KnownHostsKey} of {identity} has: if the machine was set up anew, put there what `{ScanOf(endpoint)}` prints; if it was not, somebody may be in between"
                : $"the host key of {machine} is another than the known one: if the machine was set up anew, take the old key out with `ssh-keygen -R` and connect once by hand (`{login}`); if it was not, somebody may be in between")
            : Says("Host key verification failed") ? new(EngineFailure.Ssh, identity switch
            {
                { HasKnownHosts: true } => $"the host key of {machine} is not in {SshIdentity.KnownHostsKey} of {identity}: add what `{ScanOf(endpoint)}` prints, once you have compared it with the machine's own",
                null => $"the host key of {machine} is not known here: connect once by hand (`{login}`) as the user that runs orc, or add it to ~/.ssh/known_hosts",
                _ => $"the host key of {machine} is not known here: give {identity} a key {SshIdentity.KnownHostsKey} with what `{ScanOf(endpoint)}` prints, or add that to ~/.ssh/known_hosts of the user that runs orc",
            })
            : IsRefusal(words) ? new(EngineFailure.Ssh, identity switch
            {
                null => $"{machine} lets nobody in with the ssh keys of the user that runs orc ({last}): `{login}` must work as that user without asking; add its public key to authorized_keys there",
                _ when Says("Load key ") => $"ssh cannot read {SshIdentity.PrivateKeyKey} of {identity} ({Reason("Load key ")}): is it whole, and of a kind that this ssh knows?",
                _ => $"{machine} lets nobody in with {SshIdentity.PrivateKeyKey} of {identity} ({last}): add its public key (`ssh-keygen -y -f KEY` prints it) to authorized_keys of {UserOf(endpoint)} there",
            })
            : Says("Connection refused") ? new(EngineFailure.Refused, $"connection to {endpoint} refused: does an ssh server run and listen there?")
            : Says("timed out") || Says("No route to host") || Says("Network is unreachable") ? new(EngineFailure.Unreachable, $"no connection to {endpoint}: {last}")
            : Says("kex_exchange_identification") || Says("banner exchange") ? new(
                EngineFailure.Unreachable, $"the ssh server of {machine} closed the connection before it said anything: too many at once for it (MaxStartups), or are we banned?")
            : last is null || Says("not responding") || Says("Broken pipe") || Says("Connection reset") || Says("closed by remote host") ? new(
                EngineFailure.Interrupted, $"the connection to {endpoint} was lost")
            : new(EngineFailure.Ssh, $"ssh to {endpoint} failed: {last}");

        EngineException OfDocker() =>
            exitCode == NoSuchCommand ? new(
                EngineFailure.Refused, $"there is no docker on {machine}, or not in the PATH of a login without a terminal: install Docker's client there (18.09 or newer)")
            : Says("dial-stdio") && (Says("not a docker command") || Says("unknown command")) ? new(
                EngineFailure.Incompatible, $"docker on {machine} is too old to be reached by ssh: it knows no `docker system dial-stdio`; at least 18.09 is needed")
            : Says("permission denied") ? new(
                EngineFailure.Refused, $"{UserOf(endpoint)} has no permission to use the engine's socket on {machine}: make that user a member of the group docker there")
            : Says("Cannot connect to the Docker daemon") || Says("no such file or directory") || Says("connection refused") ? new(
                EngineFailure.Refused, $"no engine answers on {machine}{(endpoint.SocketPath is { } path ? $" at {path}" : "")}: is Docker installed and running there? ({last})")
            : last is null ? new(EngineFailure.Interrupted, $"the connection to the engine on {machine} was lost")
            : new(EngineFailure.Failed, $"docker on {machine} did not connect to its engine: {last}");
    }

    /// <summary>Whether a login was refused, which is counted against us there.</summary>
    public static bool IsRefusal(string words) =>
        words.Contains("Permission denied (", StringComparison.OrdinalIgnoreCase) || words.Contains("Too many authentication failures", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it found no room in the connection that it was to be a channel of, and makes one of its own.</summary>
    public static bool IsNoChannel(string words) => words.Contains("Session open refused", StringComparison.Ordinal);

    private static string ScanOf(EngineEndpoint endpoint) =>
        $"ssh-keyscan {(endpoint.Port > 0 ? string.Create(CultureInfo.InvariantCulture, $"-p {endpoint.Port} ") : "")}{endpoint.Host}";

    private static string UserOf(EngineEndpoint endpoint) => endpoint.User is { } user ? $"the user {user}" : "the user that ssh logs in as";

    private static string LoginOf(EngineEndpoint endpoint) =>
        $"ssh {(endpoint.Port > 0 ? $"-p {endpoint.Port} " : "")}{(endpoint.User is { } user ? user + "@" : "")}{endpoint.Host}";
}
