using k8s.Models;

namespace Orchestrator.Benchmarks.Proxying;

/// <summary>The certificate that all proxies show: P-256, as most sites have it today.</summary>
internal sealed class SiteCertificate
{
    private readonly byte[] _certificate;
    private readonly byte[] _key;

    public SiteCertificate(TemporaryFolder folder)
    {
        using var authority = new TestAuthority();
        (_certificate, _key) = authority.Server(days: 30, OurProxy.Host, "127.0.0.1");
        (CertificateFile, KeyFile, BothFile) = (folder["site.crt"], folder["site.key"], folder["site.pem"]);
        File.WriteAllBytes(CertificateFile, _certificate);
        File.WriteAllBytes(KeyFile, _key);
        File.WriteAllBytes(BothFile, [.. _certificate, .. "\n"u8, .. _key]);
    }

    public string CertificateFile { get; }

    public string KeyFile { get; }

    /// <summary>As HAProxy wants it.</summary>
    public string BothFile { get; }

    public V1Secret ToSecret(string name) => new()
    {
        Metadata = new() { Name = name },
        Type = "kubernetes.io/tls",
        Data = new Dictionary<string, byte[]> { ["tls.crt"] = _certificate, ["tls.key"] = _key },
    };
}
