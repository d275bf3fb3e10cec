using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Orchestrator.ControlPlane.Acme;

/// <summary>The public half of an account's key (RFC 7517). In the order of RFC 7638, since its thumbprint is taken of it.</summary>
internal sealed record JsonWebKey(string Crv, string Kty, string X, string Y);

/// <param name="Jwk">For the request that makes the account; else null.</param>
/// <param name="Kid">The account's URL; else null.</param>
internal sealed record JwsHeader(string Alg, string Nonce, Uri Url, JsonWebKey? Jwk, Uri? Kid);

/// <summary>RFC 7515, flattened.</summary>
internal sealed record JwsMessage(string Protected, string Payload, string Signature);

/// <summary>The key of an account: ECDSA on P-256, by which its requests are signed (ES256) and challenges are answered.</summary>
internal sealed class AccountKey : IDisposable
{
    private const int CoordinateBytes = 32;

    private readonly ECDsa _key;
    private readonly JsonWebKey _public;

    private AccountKey(ECDsa key)
    {
        _key = key;
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        _public = new("P-256", "EC", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        Thumbprint = Base64Url.EncodeToString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(_public, AcmeJson.Default.JsonWebKey)));
    }

    /// <summary>RFC 7638, in base64url.</summary>
    public string Thumbprint { get; }

    public static AccountKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <exception cref="FormatException">The text holds no such key.</exception>
    public static AccountKey Read(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (key.ExportParameters(includePrivateParameters: true) is { D: not null, Q.X.Length: CoordinateBytes })
            {
                return new(key);
            }

            throw new CryptographicException("it is of another curve");
        }
        catch (Exception unusable) when (unusable is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new FormatException("is no private key of the curve P-256 in PEM form", unusable);
        }
    }

    public string ToPem() => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>What is to be found at the token's URL (RFC 8555, 8.1).</summary>
    public string KeyAuthorization(string token) => $"{token}.{Thumbprint}";

    /// <param name="account">Null: the key itself is sent, as only the request that makes an account does.</param>
    /// <param name="payload">Empty: POST-as-GET.</param>
    public JwsMessage Sign(Uri url, string nonce, Uri? account, ReadOnlySpan<byte> payload)
    {
        var header = new JwsHeader("ES256", nonce, url, account is null ? _public : null, account);
        var protectedPart = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(header, AcmeJson.Default.JwsHeader));
        var payloadPart = Base64Url.EncodeToString(payload);
        var signature = _key.SignData(Encoding.ASCII.GetBytes($"{protectedPart}.{payloadPart}"), HashAlgorithmName.SHA256);
        return new(protectedPart, payloadPart, Base64Url.EncodeToString(signature));
    }

    public void Dispose() => _key.Dispose();
}
