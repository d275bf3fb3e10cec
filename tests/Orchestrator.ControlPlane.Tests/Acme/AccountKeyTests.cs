using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.ControlPlane.Acme;

namespace Orchestrator.ControlPlane.Tests.Acme;

public sealed class AccountKeyTests
{
    private static readonly Uri Url = new("https://acme.test/order");

    [Fact]
    public void A_message_is_signed_as_the_rfc_says()
    {
        using var key = AccountKey.Create();
        using var verifier = ECDsa.Create();
        verifier.ImportFromPem(key.ToPem());

        var message = key.Sign(Url, "n1", new Uri("https://acme.test/account/1"), "{}"u8);

        Assert.Equal(
            """{"alg":"ES256","nonce":"n1","url":"https://acme.test/order","kid":"https://acme.test/account/1"}""",
            Encoding.ASCII.GetString(Base64Url.DecodeFromChars(message.Protected)));
        Assert.Equal("e30", message.Payload);
        var signature = Base64Url.DecodeFromChars(message.Signature);
        Assert.Equal(64, signature.Length);
        Assert.True(verifier.VerifyData(Encoding.ASCII.GetBytes($"{message.Protected}.{message.Payload}"), signature, HashAlgorithmName.SHA256));
    }

    [Fact]
    public void Without_an_account_the_key_itself_is_sent_and_its_thumbprint_is_of_that()
    {
        using var key = AccountKey.Create();

        var header = JsonNode.Parse(Base64Url.DecodeFromChars(key.Sign(Url, "n1", account: null, []).Protected))!;

        Assert.Null(header["kid"]);
        var jwk = header["jwk"]!;
        var canonical = $$"""{"crv":"P-256","kty":"EC","x":"{{jwk["x"]}}","y":"{{jwk["y"]}}"}""";
        Assert.Equal(canonical, jwk.ToJsonString());
        Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(canonical))), key.Thumbprint);
        Assert.Equal($"t.{key.Thumbprint}", key.KeyAuthorization("t"));
    }

    [Fact]
    public void A_key_that_is_kept_is_the_same()
    {
        using var key = AccountKey.Create();
        using var again = AccountKey.Read(key.ToPem());

        Assert.Equal(key.Thumbprint, again.Thumbprint);
    }

    [Fact]
    public void What_is_no_such_key_is_refused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(2048);

        Assert.All(
            (string[])["", "rubbish", other.ExportPkcs8PrivateKeyPem(), rsa.ExportPkcs8PrivateKeyPem(), other.ExportSubjectPublicKeyInfoPem()],
            pem => Assert.Throws<FormatException>(() => AccountKey.Read(pem)));
    }
}
