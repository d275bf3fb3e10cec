using System.CommandLine;
using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Commands;

/// <summary>The files of mutual TLS with an engine: three options, or a folder with the three by their usual names.</summary>
internal sealed class HostTlsOptions
{
    private readonly Option<string?> _authority = new("--tls-ca") { Description = "The CA that signed the engine's certificate (PEM).", HelpName = "FILE" };
    private readonly Option<string?> _certificate = new("--tls-cert") { Description = "Our certificate (PEM).", HelpName = "FILE" };
    private readonly Option<string?> _key = new("--tls-key") { Description = "Its key (PEM).", HelpName = "FILE" };
    private readonly Option<string?> _folder = new("--tls-dir") { Description = "Folder with ca.pem, cert.pem and key.pem, as Docker's own client has it.", HelpName = "FOLDER" };

    public void AddTo(Command command)
    {
        command.Options.Add(_authority);
        command.Options.Add(_certificate);
        command.Options.Add(_key);
        command.Options.Add(_folder);
    }

    /// <returns>Null when no TLS was asked for.</returns>
    /// <exception cref="CommandException">Some but not all files are given, or one cannot be read.</exception>
    public JsonObject? ReadSecret(ParseResult line, string host)
    {
        string?[] files = [line.GetValue(_authority), line.GetValue(_certificate), line.GetValue(_key)];
        if (line.GetValue(_folder) is { } folder)
        {
            if (files.Any(file => file is not null))
            {
                throw CommandException.Usage("--tls-dir goes with none of --tls-ca, --tls-cert, --tls-key");
            }

            files = [InFolder(folder, "ca.pem", "ca.crt"), InFolder(folder, "cert.pem", "tls.crt"), InFolder(folder, "key.pem", "tls.key")];
        }

        return files switch
        {
            [null, null, null] => null,
            [{ } authority, { } certificate, { } key] => HostSecrets.OfTls(host, Read(authority), Read(certificate), Read(key)),
            _ => throw CommandException.Usage("mutual TLS takes all three: --tls-ca, --tls-cert and --tls-key"),
        };
    }

    private static string InFolder(string folder, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Path.Combine(folder, name) is var file && File.Exists(file))
            {
                return file;
            }
        }

        throw CommandException.Usage($"--tls-dir: there is no {names[0]} in {folder}");
    }

    private static string Read(string file)
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
