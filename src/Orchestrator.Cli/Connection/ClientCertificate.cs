using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s;
using Prometheus;

namespace Orchestrator.Cli.Connection;

/// <summary>
/// The client certificate of kubeconfigs, as their files have it when a connection begins. Who runs for longer than a certificate lasts would be locked out with
/// the one it began with, though its file has long had another: the embedded server renews its clients', <c>orc proxy --join</c> writes a new one.
/// </summary>
internal sealed class ClientCertificate
{
    /// <summary>A connection shows its certificate once, as it begins.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromHours(1);

    private readonly Func<KubernetesClientConfiguration> _read;
    private readonly Lock _gate = new();
    private (string Certificate, string Key) _pem;
    private X509Certificate2 _current;

    private ClientCertificate(Func<KubernetesClientConfiguration> read, KubernetesClientConfiguration first)
    {
        (_read, _pem) = (read, PemOf(first));
        _current = Made(_pem);
    }

    /// <summary>What a client is to be made of that shows what the files have; without a certificate just what was read.</summary>
    /// <param name="read">Reads the kubeconfigs.</param>
    /// <exception cref="Exception">Of <paramref name="read"/>, and those of certificates and keys that are none.</exception>
    public static KubernetesClientConfiguration Follow(Func<KubernetesClientConfiguration> read)
    {
        var configuration = read();
        if (configuration.ClientCertificateData is null && configuration.ClientCertificateFilePath is null)
        {
            return configuration;
        }

        configuration.FirstMessageHandlerSetup = new ClientCertificate(read, configuration).SetUp;

        // The client would set its own, after ours, and show it for ever.
        (configuration.ClientCertificateData, configuration.ClientCertificateFilePath) = (null, null);
        (configuration.ClientCertificateKeyData, configuration.ClientKeyFilePath) = (null, null);
        return configuration;
    }

    private void SetUp(SocketsHttpHandler handler)
    {
        handler.PooledConnectionLifetime = ConnectionLifetime;

        // A session that is taken up again has the certificate that it began with.
        handler.SslOptions.AllowTlsResume = false;
        handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => Current();
    }

    /// <summary>Read anew each time: connections are few, and the time of a file says little behind links and after copies that keep it.</summary>
    private X509Certificate2 Current()
    {
        lock (_gate)
        {
            try
            {
                if (PemOf(_read()) is var pem && pem != _pem)
                {
                    // What it was before is not disposed: a handshake may be using it.
                    _current = Made(pem);
                    _pem = pem;
                }
            }
            catch (Exception)
            {
                // Half written, or gone: what was good a moment ago may be so still, and the next connection looks again.
            }

            return _current;
        }
    }

    private static X509Certificate2 Made((string Certificate, string Key) pem)
    {
        var certificate = X509Certificate2.CreateFromPem(pem.Certificate, pem.Key);
        CertificateMetrics.Expiry.Set(new DateTimeOffset(certificate.NotAfter.ToUniversalTime()).ToUnixTimeSeconds());
        return certificate;
    }

    private static (string Certificate, string Key) PemOf(KubernetesClientConfiguration configuration) => (
        Pem(configuration.ClientCertificateData, configuration.ClientCertificateFilePath),
        Pem(configuration.ClientCertificateKeyData, configuration.ClientKeyFilePath));

    private static string Pem(string? data, string? path) =>
        data is null ? File.ReadAllText(path ?? throw new FormatException("a client certificate needs a client-key beside it")) : Encoding.ASCII.GetString(Convert.FromBase64String(data));

    // Made with the first certificate: a process that shows none has no such series.
    private static class CertificateMetrics
    {
        public static readonly Gauge Expiry = Metrics.CreateGauge(
            "orchestrator_client_certificate_expiry_timestamp_seconds", "When the certificate ends that this process shows to the API server, in Unix time.");
    }
}
