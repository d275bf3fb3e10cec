using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.ControlPlane.Acme;

/// <summary>The key of a certificate that is being ordered: a new one each time, ECDSA on P-256.</summary>
internal sealed class CertificateKey : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string ToPem() => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>A request for a certificate for these hosts (PKCS#10), in base64url. Names stand among the alternative ones alone.</summary>
    public string Request(IEnumerable<string> hosts)
    {
        var request = new CertificateRequest(new X500DistinguishedName(""), _key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        return Base64Url.EncodeToString(request.CreateSigningRequest());
    }

    public void Dispose() => _key.Dispose();
}
