using Orchestrator.Runtime;
using Orchestrator.Runtime.Certificates;

namespace Orchestrator.Proxy.Tls;

/// <summary>What an app's Secret gives: each may be missing.</summary>
internal sealed record AppCertificates(TlsCertificate? Certificate, CertificateAuthorities? Authorities);

/// <summary>All certificates that there are. Built whole and swapped.</summary>
/// <param name="Default">Shown where no app's fits.</param>
internal sealed record CertificateSet(IReadOnlyDictionary<ObjectKey, AppCertificates> Apps, TlsCertificate? Default)
{
    public static readonly CertificateSet Empty = new(new Dictionary<ObjectKey, AppCertificates>(), null);
}
