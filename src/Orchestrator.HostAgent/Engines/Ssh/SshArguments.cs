using System.Globalization;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>How ssh is called: as Docker's own client calls it, and never so that it would ask, wait for ever or do more than asked.</summary>
internal static class SshArguments
{
    /// <summary>Seconds for the TCP connection and the first words of the ssh server.</summary>
    public const int ConnectTimeout = 5;

    /// <summary>
    /// Seconds between two signs of life, and how many may stay out: a connection that nobody looks after any more (its session has
    /// long been given up by our own pings) ends itself after 15 s.
    /// </summary>
    public const int AliveInterval = 5;
    public const int AliveCount = 3;

    /// <param name="controlPath">
    /// Where the connections of one session find the first of them, to be channels of it: one TCP connection and one login for all. Null:
    /// each by itself.
    /// </param>
    /// <param name="files">Of the host's Secret; null where the key is left to ssh's configuration.</param>
    public static IReadOnlyList<string> For(EngineEndpoint endpoint, string? controlPath, SshIdentityFiles? files)
    {
        List<string> arguments =
        [
            "-T", "-a", "-x",
            "-o", "BatchMode=yes",
            "-o", "LogLevel=ERROR",
            "-o", Seconds("ConnectTimeout", ConnectTimeout),
            "-o", Seconds("ServerAliveInterval", AliveInterval),
            "-o", Seconds("ServerAliveCountMax", AliveCount),

            // Forwardings and commands of the user's configuration are meant for terminals; each connection would try them anew.
            "-o", "ClearAllForwardings=yes",
            "-o", "RemoteCommand=none",
            "-o", controlPath is null ? "ControlMaster=no" : "ControlMaster=auto",
            "-o", $"ControlPath={(controlPath is null ? "none" : Literal(controlPath))}",

            // A process that stays behind in the background would be nobody's.
            "-o", "ControlPersist=no",
        ];
        if (files is not null)
        {
            arguments.AddRange(OnlyBy(files));
        }

        if (endpoint.User is { } user)
        {
            arguments.AddRange(["-l", user]);
        }

        if (endpoint.Port > 0)
        {
            arguments.AddRange(["-p", endpoint.Port.ToString(CultureInfo.InvariantCulture)]);
        }

        arguments.AddRange(["--", endpoint.Host, "docker"]);
        if (endpoint.SocketPath is { } path)
        {
            arguments.AddRange(["--host", $"unix://{path}"]);
        }

        arguments.AddRange(["system", "dial-stdio"]);
        return arguments;
    }

    /// <summary>
    /// The Secret's key and no other of which ssh knows by itself, nor another way in: who changes the Secret is to see what it does. Keys
    /// that the configuration names for this very host are tried after it.
    /// </summary>
    private static IEnumerable<string> OnlyBy(SshIdentityFiles files)
    {
        yield return "-i";
        yield return Literal(files.Key);
        foreach (var option in (string[])["IdentitiesOnly=yes", "IdentityAgent=none", "PreferredAuthentications=publickey"])
        {
            yield return "-o";
            yield return option;
        }

        if (files.KnownHosts is null)
        {
            yield break;
        }

        foreach (var option in (string[])
        [
            "StrictHostKeyChecking=yes", $"UserKnownHostsFile=\"{Literal(files.KnownHosts)}\"", "GlobalKnownHostsFile=/dev/null", "VerifyHostKeyDNS=no", "CheckHostIP=no",
        ])
        {
            yield return "-o";
            yield return option;
        }
    }

    // ssh has tokens of its own in file names.
    private static string Literal(string path) => path.Replace("%", "%%", StringComparison.Ordinal);

    private static string Seconds(string option, int value) => $"{option}={value.ToString(CultureInfo.InvariantCulture)}";
}
