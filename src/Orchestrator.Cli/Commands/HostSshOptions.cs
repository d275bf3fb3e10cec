using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.HostAgent.Engines.Ssh;

namespace Orchestrator.Cli.Commands;

/// <summary>The key to log in with by ssh, and the host keys to trust: files that become a Secret.</summary>
internal sealed class HostSshOptions
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private readonly Option<string?> _key = new("--ssh-key") { Description = "Private key to log in with by ssh, without a passphrase. Default: what the ssh of the user that runs orc serve logs in with.", HelpName = "FILE" };
    private readonly Option<string?> _knownHosts = new("--ssh-known-hosts") { Description = "Host keys that alone are trusted, as ssh-keyscan prints them; goes with --ssh-key. Default: those that that ssh knows.", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        command.Options.Add(_key);
        command.Options.Add(_knownHosts);
    }

    /// <returns>Null when neither was given.</returns>
    /// <exception cref="CommandException">A file cannot be read, or is not what it should be.</exception>
    public JsonObject? ReadSecret(ParseResult line, string host)
    {
        if (line.GetValue(_key) is not { } keyFile)
        {
            return line.GetValue(_knownHosts) is null ? null : throw CommandException.Usage("--ssh-known-hosts goes with --ssh-key: without it, keys and known hosts are those of ssh");
        }

        var key = Read(_key.Name, keyFile, SshKeyFormat.Fault);
        RequirePrivate(keyFile);
        var knownHosts = line.GetValue(_knownHosts) is { } file ? Read(_knownHosts.Name, file, SshKnownHosts.Fault) : null;
        return HostSecrets.OfSsh(host, key, knownHosts);
    }

    // ssh would not take it either.
    private void RequirePrivate(string file)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & Others) != default)
        {
            throw CommandException.Failed($"{_key.Name} {file}: others than its owner may read it, so that it may be known to them; `chmod 600 {file}`, if it is not");
        }
    }

    private static string Read(string option, string file, Func<string, string?> faultOf)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Failed($"{option}: cannot read {file}: {failure.Message}");
        }

        return faultOf(text) is { } fault ? throw CommandException.Failed($"{option}: {file} {fault}") : text;
    }
}
