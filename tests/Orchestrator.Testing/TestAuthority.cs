using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Orchestrator.Testing;

/// <summary>An authority of the tests' own, and what it signs.</summary>
public sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset Begin = TimeProvider.System.GetUtcNow().AddDays(-100);
    private static long s_serial = 1000;

    private readonly X509Certificate2 _certificate;

    private TestAuthority(X509Certificate2 certificate) => _certificate = certificate;

    public TestAuthority(string name = "Test authority")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _certificate = Request($"CN={name}", key, isAuthority: true).CreateSelfSigned(Begin, Begin.AddDays(2000));
    }

    public X509Certificate2 Certificate => _certificate;

    public byte[] Pem => Encoding.ASCII.GetBytes(_certificate.ExportCertificatePem());

    /// <summary>An authority below this one.</summary>
    public TestAuthority Intermediate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = Request($"CN={name}", key, isAuthority: true).Create(_certificate, Begin, Begin.AddDays(1500), Serial());
        return new(signed.CopyWithPrivateKey(key));
    }

    /// <summary>As a Secret has it.</summary>
    /// <param name="days">From now; negative: it has ended.</param>
    public (byte[] Certificate, byte[] Key) Server(int days, params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request("CN=server", key, isAuthority: false);
        var subjects = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                subjects.AddIpAddress(address);
            }
            else
            {
                subjects.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(subjects.Build());
        using var signed = request.Create(_certificate, Begin, TimeProvider.System.GetUtcNow().AddDays(days), Serial());
        return (Encoding.ASCII.GetBytes(signed.ExportCertificatePem()), Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
    }

    /// <param name="usage">Object identifier of the enhanced key usage; TLS client if null.</param>
    public X509Certificate2 Client(string name, int days = 10, string? usage = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request($"CN={name}", key, isAuthority: false);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage ?? "1.3.6.1.5.5.7.3.2")], critical: false));
        using var signed = request.Create(_certificate, Begin, TimeProvider.System.GetUtcNow().AddDays(days), Serial());
        return signed.CopyWithPrivateKey(key);
    }

    public void Dispose() => _certificate.Dispose();

    private static CertificateRequest Request(string subject, ECDsa key, bool isAuthority)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, hasPathLengthConstraint: false, 0, critical: true));
        return request;
    }

    private static byte[] Serial() => BitConverter.GetBytes(Interlocked.Increment(ref s_serial));
}
