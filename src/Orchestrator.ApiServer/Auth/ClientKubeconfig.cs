using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;

namespace Orchestrator.ApiServer.Auth;

/// <summary>A kubeconfig with everything in it: one file to copy to wherever the client runs.</summary>
internal static partial class ClientKubeconfig
{
    public static string Compose(Uri server, string client, X509Certificate2 authority, X509Certificate2 certificate) => $"""
        apiVersion: v1
        kind: Config
        clusters:
          - name: orchestrator
            cluster:
              server: {server.AbsoluteUri.TrimEnd('/')}
              certificate-authority-data: {Encode(authority.ExportCertificatePem())}
        users:
          - name: {client}
            user:
              client-certificate-data: {Encode(certificate.ExportCertificatePem())}
              client-key-data: {Encode(certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem())}
        contexts:
          - name: orchestrator
            context:
              cluster: orchestrator
              user: {client}
        current-context: orchestrator

        """;

    /// <summary>Whether a file that this class wrote still serves.</summary>
    public static bool IsGood(string path, Uri server, X509Certificate2 authority, Func<X509Certificate2, bool> isDue)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        var text = File.ReadAllText(path);
        if (Value(text, "server") != server.AbsoluteUri.TrimEnd('/')
            || Value(text, "certificate-authority-data") != Encode(authority.ExportCertificatePem()))
        {
            return false;
        }

        try
        {
            using var certificate = X509Certificate2.CreateFromPem(
                Encoding.ASCII.GetString(Convert.FromBase64String(Value(text, "client-certificate-data"))));
            return !isDue(certificate) && CertificateAuthority.IsOf(certificate, authority);
        }
        catch (Exception damaged) when (damaged is CryptographicException or FormatException)
        {
            return false;
        }
    }

    private static string Encode(string pem) => Convert.ToBase64String(Encoding.ASCII.GetBytes(pem + "\n"));

    private static string Value(string text, string key) =>
        Line().Matches(text).FirstOrDefault(line => line.Groups[1].Value == key)?.Groups[2].Value ?? "";

    [GeneratedRegex(@"^\s*([a-z-]+): (\S+)$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
