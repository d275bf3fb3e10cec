using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.ControlPlane.Acme;

namespace Orchestrator.Cli.Commands;

/// <summary>From whom <c>orc serve</c> orders certificates for apps with <c>route.tls.acme</c>.</summary>
internal sealed class AcmeAuthorityOptions
{
    private const string EmailName = "--acme-email";
    private const string AcceptTermsName = "--acme-accept-terms";

    private readonly Option<string?> _email = new(EmailName) { Description = "Order certificates for apps with route.tls.acme; the authority writes here when something is wrong with one. Default: none are ordered.", HelpName = "ADDRESS" };
    private readonly Option<bool> _acceptTerms = new(AcceptTermsName) { Description = "Agree to the authority's terms of service, without which it issues none." };
    private readonly Option<string?> _directory = new("--acme-directory") { Description = $"The authority's ACME directory (RFC 8555). Default: Let's Encrypt, {AcmeOptions.LetsEncrypt}.", HelpName = "URL" };
    private readonly Option<string?> _authorities = new("--acme-ca-file") { Description = "The CA that signed the TLS certificate of the authority's own server (PEM). Default: those that this machine trusts.", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        command.Options.Add(_email);
        command.Options.Add(_acceptTerms);
        command.Options.Add(_directory);
        command.Options.Add(_authorities);
    }

    /// <returns>Null: none are ordered.</returns>
    /// <exception cref="CommandException">What is given does not go together, or cannot be read.</exception>
    public AcmeOptions? Read(ParseResult line)
    {
        var (email, directory, file) = (line.GetValue(_email), line.GetValue(_directory), line.GetValue(_authorities));
        if (email is null)
        {
            return directory is null && file is null && !line.GetValue(_acceptTerms) ? null
                : throw CommandException.Usage($"certificates are ordered only with {EmailName}: the authority wants to know whom to write to");
        }

        if (email.Split('@') is not [{ Length: > 0 }, { Length: > 0 }] || email.Any(letter => char.IsWhiteSpace(letter) || letter is ',' or '?' or '<' or '>'))
        {
            throw CommandException.Usage($"{EmailName}: \"{email}\" is no address such as you@example.org");
        }

        if (!line.GetValue(_acceptTerms))
        {
            throw CommandException.Usage($"{EmailName} goes with {AcceptTermsName}: the authority issues certificates to those who agree to its terms of service, which its directory links to");
        }

        return new()
        {
            Email = email,
            Directory = directory is null ? AcmeOptions.LetsEncrypt
                : Uri.TryCreate(directory, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps ? url
                : throw CommandException.Usage($"--acme-directory: \"{directory}\" is no URL that begins with https://"),
            Authorities = file is null ? null : ReadAuthorities(file),
        };
    }

    private static X509Certificate2Collection ReadAuthorities(string file)
    {
        try
        {
            var read = new X509Certificate2Collection();
            read.ImportFromPemFile(file);
            return read.Count > 0 ? read : throw CommandException.Usage($"--acme-ca-file: {file} holds no certificate in PEM form");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw CommandException.Usage($"--acme-ca-file: cannot read {file}: {failure.Message}");
        }
    }
}
