using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Orchestrator.Api;

namespace Orchestrator.HostAgent.Engines;

/// <summary>What mutual TLS with one engine needs: whom to trust, and who we are.</summary>
internal sealed class EngineCertificates : IDisposable
{
    private const string AuthorityKey = "ca.crt";
    private const string CertificateKey = "tls.crt";
    private const string PrivateKeyKey = "tls.key";

    private readonly X509Certificate2 _own;

    private EngineCertificates(string secretName, X509Certificate2Collection authorities, X509Certificate2 own, X509Certificate2Collection chain)
    {
        SecretName = secretName;
        Authorities = authorities;
        _own = own;
        Context = SslStreamCertificateContext.Create(own, chain, offline: true);
    }

    public string SecretName { get; }

    public X509Certificate2Collection Authorities { get; }

    public SslStreamCertificateContext Context { get; }

    public DateTime NotAfter => _own.NotAfter;

    /// <summary>Reads the Secret anew: what it held when the last connection was made may have been replaced since.</summary>
    /// <exception cref="EngineException">There is no such Secret, or it is not what it should be.</exception>
    public static async Task<EngineCertificates> ReadAsync(IKubernetes kubernetes, string secretName, CancellationToken cancellationToken)
    {
        try
        {
            var secret = await kubernetes.CoreV1.ReadNamespacedSecretAsync(
                secretName, ApiGroup.SystemNamespace, cancellationToken: cancellationToken);
            return Parse(secretName, secret);
        }
        catch (HttpOperationException failure) when (failure.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            throw new EngineException(
                EngineFailure.Tls, $"there is no Secret {secretName} (spec.tlsSecretName) in namespace {ApiGroup.SystemNamespace}", failure);
        }
        catch (HttpRequestException failure)
        {
            throw new EngineException(
                EngineFailure.Unreachable, $"the Secret {secretName} (spec.tlsSecretName) cannot be read: the API server does not answer", failure);
        }
        catch (HttpOperationException failure)
        {
            throw new EngineException(
                EngineFailure.Tls, $"the Secret {secretName} (spec.tlsSecretName) cannot be read: {(int)failure.Response.StatusCode}", failure);
        }
    }

    /// <exception cref="EngineException">A key is missing or is not PEM of the right kind.</exception>
    public static EngineCertificates Parse(string secretName, V1Secret secret)
    {
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPem(Text(secretName, secret, AuthorityKey));
            var certificates = Text(secretName, secret, CertificateKey);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificates);
            if (authorities.Count == 0 || chain.Count == 0)
            {
                throw Malformed(secretName, authorities.Count == 0 ? AuthorityKey : CertificateKey, null);
            }

            return new EngineCertificates(
                secretName, authorities, X509Certificate2.CreateFromPem(certificates, Text(secretName, secret, PrivateKeyKey)), chain);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            // The exception may quote what it could not read: no part of a key goes on from here.
            throw Malformed(secretName, $"{AuthorityKey}, {CertificateKey} or {PrivateKeyKey}", null);
        }
    }

    public void Dispose() => _own.Dispose();

    private static string Text(string secretName, V1Secret secret, string key) =>
        secret.Data is not null && secret.Data.TryGetValue(key, out var bytes)
            ? Encoding.UTF8.GetString(bytes)
            : throw new EngineException(EngineFailure.Tls, $"the Secret {secretName} (spec.tlsSecretName) has no key {key}");

    private static EngineException Malformed(string secretName, string key, Exception? inner) =>
        new(EngineFailure.Tls, $"the Secret {secretName} (spec.tlsSecretName): {key} is not PEM, or key and certificate do not belong together", inner);
}
