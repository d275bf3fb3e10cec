using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Testing.Lab;

/// <summary>
/// An ssh server on a host of the lab, with keys, users and settings of its own, and an <c>ssh</c> that is first in this process's PATH and
/// knows it. The machine's own ssh, its users and their keys are not touched: the server sees a list of users of its own, in a mount
/// namespace of its own. Ends with the test, and with the test's process.
/// </summary>
/// <remarks>
/// Users: <c>root</c>, whose docker works; <c>deploy</c>, who may not use the engine's socket; <c>bare</c>, who has no docker. Names of the host
/// that the ssh knows: <see cref="Alias"/>; <c>unknown</c>, whose host key it has never seen; <c>changed</c>, of whom it knows another;
/// <c>keyless</c>, where it shows a key that nobody accepts.
/// </remarks>
public sealed class SshServer : IAsyncDisposable
{
    public const int Port = 2222;

    /// <summary>Has user, address and port by configuration.</summary>
    public const string Alias = "Lab_Host";

    private const string Configuration = """
        HostKey {0}/host_key
        AuthorizedKeysFile /mnt/authorized_keys
        StrictModes no
        UsePAM no
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        PermitRootLogin prohibit-password
        PidFile none
        Match User bare
            SetEnv PATH=/nowhere
        Match User *
            SetEnv PATH=/mnt/bin:/usr/bin:/bin

        """;

    // The server wants a folder in /run and a user of its own; docker its socket at its place. With the cat, whose input is ours, everything
    // in its process namespace ends.
    private const string Start = """
        set -e
        mount --bind "$FOLDER/passwd" /etc/passwd
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/run /mnt/bin
        mount --rbind /run /mnt/run
        mount -t tmpfs -o mode=0755 tmpfs /run
        mkdir /run/sshd
        ln -s "/mnt$SOCKET" /run/docker.sock
        cp "$FOLDER/authorized_keys" /mnt
        : >/mnt/bin/docker
        mount --bind "$DOCKER" /mnt/bin/docker
        "$SSHD" -D -e -f "$FOLDER/sshd_config" </dev/null &
        exec cat >/dev/null
        """;

    /// <summary>One at a time in a process, whose PATH it changes.</summary>
    private static readonly SemaphoreSlim Turn = new(1);

    private readonly TemporaryFolder _folder = new();
    private readonly StringBuilder _log = new();
    private readonly string? _path = Environment.GetEnvironmentVariable("PATH");
    private Process? _process;

    private SshServer(string address) => Address = address;

    public string Address { get; }

    /// <summary>The private key that it accepts.</summary>
    public string KeyFile => _folder["id"];

    public string Key => File.ReadAllText(KeyFile);

    /// <summary>Text of a private key that nobody accepts.</summary>
    public string StrangeKey => File.ReadAllText(_folder["stranger"]);

    /// <summary>Has a line with its host key.</summary>
    public string KnownHostsFile => _folder["known"];

    public string KnownHosts => File.ReadAllText(KnownHostsFile);

    /// <summary>A line with another host key of the same name.</summary>
    public string OtherKnownHosts => File.ReadAllText(_folder["known_other"]);

    /// <summary>Logins until now.</summary>
    public int Logins => Log.Split('\n').Count(line => line.StartsWith("Accepted ", StringComparison.Ordinal));

    private string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <param name="networkNamespace">Of the host.</param>
    /// <param name="address">Of the host.</param>
    /// <param name="socket">Of its engine; below /run.</param>
    public static async Task<SshServer> StartAsync(string networkNamespace, string address, string socket)
    {
        await Turn.WaitAsync();
        var server = new SshServer(address);
        try
        {
            await server.WriteAsync();
            await server.StartAsync(networkNamespace, socket);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>As in a DockerHost.</summary>
    public string EndpointOf(string user, string? host = null) => $"ssh://{user}@{host ?? Address}:{Port}";

    /// <summary>The ssh processes that this process started for this server and that have not ended.</summary>
    public IReadOnlyList<int> Clients() =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), out var pid) ? pid : 0)
            .Where(pid => pid > 0 && Read($"/proc/{pid}/cmdline").Contains($"-F\0{_folder["ssh_config"]}\0", StringComparison.Ordinal)),
    ];

    /// <summary>Each of <see cref="Clients"/>.</summary>
    public void KillClients()
    {
        foreach (var pid in Clients())
        {
            try
            {
                using var process = Process.GetProcessById(pid);
                process.Kill();
            }
            catch (ArgumentException)
            {
                // It was one that goes with another.
            }
        }
    }

    /// <summary>The files with keys that these processes were given.</summary>
    public IReadOnlyList<string> KeyFilesOfClients() =>
    [
        .. Clients()
            .Select(pid => Read($"/proc/{pid}/cmdline").Split('\0'))
            .Where(words => words.Contains("-i"))
            .Select(words => words[Array.IndexOf(words, "-i") + 1])
            .Distinct(),
    ];

    public async ValueTask DisposeAsync()
    {
        Environment.SetEnvironmentVariable("PATH", _path);
        if (_process is not null)
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _folder.Dispose();
        Turn.Release();
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It has ended meanwhile.
            return "";
        }
    }

    private async Task WriteAsync()
    {
        foreach (var key in (string[])["host_key", "id", "stranger"])
        {
            (await Command.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", _folder[key]])).OrThrow();
        }

        File.Copy(_folder["id.pub"], _folder["authorized_keys"]);
        await File.WriteAllTextAsync(_folder["passwd"], """
            root:*:0:0:root:/root:/bin/sh
            sshd:*:65534:65534::/run/sshd:/usr/sbin/nologin
            deploy:*:65533:65533::/:/bin/sh
            bare:*:65532:65532::/:/bin/sh

            """);
        await File.WriteAllTextAsync(_folder["sshd_config"], $"ListenAddress {Address}:{Port}\n{Configuration.Replace("{0}", _folder.Path, StringComparison.Ordinal)}");
        await File.WriteAllTextAsync(_folder["known"], $"[{Address}]:{Port} {await File.ReadAllTextAsync(_folder["host_key.pub"])}");
        await File.WriteAllTextAsync(_folder["known_other"], $"[{Address}]:{Port} {await File.ReadAllTextAsync(_folder["stranger.pub"])}");
        await File.WriteAllTextAsync(_folder["ssh_config"], $"""
            Host unknown
                UserKnownHostsFile /dev/null
            Host changed
                UserKnownHostsFile {_folder["known_other"]}
            Host keyless
                IdentityFile {_folder["stranger"]}
            Host {Alias}
                User root
                Port {Port}
            Host unknown changed keyless {Alias}
                HostName {Address}
            Host * !keyless
                IdentityFile {_folder["id"]}
            Host *
                IdentitiesOnly yes
                UserKnownHostsFile {_folder["known"]}
                GlobalKnownHostsFile /dev/null

            """);
        var ssh = await Dependency.PathOf("ssh");
        await File.WriteAllTextAsync(_folder["launcher"], $"#!/bin/sh\nexec '{ssh}' -F '{_folder["ssh_config"]}' \"$@\"\n");

        // By another process: what this one has open for writing, a process that another test starts meanwhile has too, and cannot be run.
        Directory.CreateDirectory(_folder["bin"]);
        (await Command.RunAsync("install", ["--mode=755", _folder["launcher"], _folder["bin/ssh"]])).OrThrow();
        Environment.SetEnvironmentVariable("PATH", $"{_folder["bin"]}:{_path}");
    }

    private async Task StartAsync(string networkNamespace, string socket)
    {
        var start = new ProcessStartInfo(
            "nsenter", [$"--net={networkNamespace}", "--", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--", "sh", "-c", Start])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        start.Environment["FOLDER"] = _folder.Path;
        start.Environment["SOCKET"] = socket;
        start.Environment["DOCKER"] = await Dependency.PathOf("docker");
        start.Environment["SSHD"] = await Dependency.PathOf("sshd");
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
            {
                _log.AppendLine(line.Data);
            }
        };
        _process.BeginErrorReadLine();
        await Eventually.True(async () =>
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"the ssh server ended: {Log}");
            }

            using var client = new TcpClient();
            await client.ConnectAsync(Address, Port);
            return true;
        });
    }
}
