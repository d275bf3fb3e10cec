using System.Text;
using k8s.Models;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Certificates;

namespace Orchestrator.ControlPlane.Tests.Certificates;

public sealed class CertificateReviewTests : IDisposable
{
    private static readonly Dictionary<string, byte[]> Nothing = [];

    private readonly TestAuthority _authority = new();
    private readonly Route _route = new() { Hosts = ["shop.example.org", "*.shop.example.org"] };
    private readonly RouteTls _tls = new() { SecretName = "shop" };

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public void A_good_certificate_is_laid_out_as_it_is()
    {
        var secret = Secret(90, "shop.example.org", "*.shop.example.org");

        var review = CertificateReview.Of(_route, _tls, secret, null, Nothing, Now);

        Assert.Equal((true, "CertificateValid"), (review.State.IsReady, review.State.Reason));
        Assert.Equal(secret.Data["tls.crt"], review.Data["tls.crt"]);
        Assert.Equal(secret.Data["tls.key"], review.Data["tls.key"]);
        Assert.Equal(2, review.Data.Count);

        // When it is soon to end.
        Assert.InRange(review.LookAgainAfter!.Value.TotalDays, 75.9, 76);
    }

    [Theory]
    [InlineData(90, "shop.example.org", false, "CertificateForOtherNames", "the certificate is not for *.shop.example.org")]
    [InlineData(90, "other.example.org", false, "CertificateForOtherNames", "the certificate is not for shop.example.org, *.shop.example.org")]
    [InlineData(5, "shop.example.org *.shop.example.org", true, "CertificateExpiresSoon", "the certificate ends at ")]
    [InlineData(-1, "shop.example.org *.shop.example.org", false, "CertificateExpired", "the certificate has ended at ")]
    public void One_that_is_not_quite_right_is_laid_out_all_the_same_and_told_of(int days, string names, bool isReady, string reason, string message)
    {
        var review = CertificateReview.Of(_route, _tls, Secret(days, names.Split(' ')), null, Nothing, Now);

        Assert.Equal((isReady, reason), (review.State.IsReady, review.State.Reason));
        Assert.Contains($"Secret \"shop\": {message}", review.State.Message, StringComparison.Ordinal);
        Assert.Equal(2, review.Data.Count);
    }

    public static TheoryData<string, string, string> Broken() => new()
    {
        { "", "", "tls.crt: is missing or empty" },
        { "rubbish", "rubbish", "tls.crt: holds no certificate in PEM form" },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "rubbish", "tls.crt: holds a certificate that cannot be read" },
        { "good", "", "tls.key: is missing or empty" },
        { "good", "rubbish", "tls.key: is no private key in PEM form that belongs to the first certificate" },
        { "good", "of another", "tls.key: is no private key in PEM form that belongs to the first certificate" },
        { "good", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "tls.key: is protected by a password" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_broken_one_is_told_of_and_the_one_before_stays(string certificate, string key, string message)
    {
        var (good, other) = (_authority.Server(90, "shop.example.org"), _authority.Server(90, "shop.example.org"));
        var secret = new V1Secret
        {
            Data = new Dictionary<string, byte[]>
            {
                ["tls.crt"] = certificate == "good" ? good.Certificate : Encoding.ASCII.GetBytes(certificate),
                ["tls.key"] = key == "of another" ? other.Key : Encoding.ASCII.GetBytes(key),
            },
        };
        var given = new Dictionary<string, byte[]> { ["tls.crt"] = [1], ["tls.key"] = [2], ["ca.crt"] = [3] };

        var first = CertificateReview.Of(_route, _tls, secret, null, Nothing, Now);
        var later = CertificateReview.Of(_route, _tls, secret, null, given, Now);

        Assert.Equal((false, "SecretInvalid"), (first.State.IsReady, first.State.Reason));
        Assert.StartsWith($"Secret \"shop\": {message}", first.State.Message, StringComparison.Ordinal);
        Assert.Empty(first.Data);
        Assert.EndsWith("; the certificate before is shown", later.State.Message, StringComparison.Ordinal);
        Assert.Equal<byte>([1], later.Data["tls.crt"]);
        Assert.Equal(["tls.crt", "tls.key"], later.Data.Keys.Order());
    }

    [Fact]
    public void What_is_not_there_is_told_of()
    {
        var review = CertificateReview.Of(_route, _tls with { ClientAuth = new() { SecretName = "ca" } }, Secret(90, "shop.example.org", "*.shop.example.org"), null, Nothing, Now);

        Assert.Equal(new CertificateState(false, "SecretNotFound", "clientAuth: Secret \"ca\" not found; no client gets through"), review.State);
        Assert.Equal(
            new CertificateState(false, "SecretNotFound", "Secret \"shop\" not found"), CertificateReview.Of(_route, _tls, null, null, Nothing, Now).State);
    }

    [Fact]
    public void Authorities_must_be_some()
    {
        var auth = new RouteTls { ClientAuth = new() { SecretName = "ca" } };
        var given = new Dictionary<string, byte[]> { ["ca.crt"] = [3] };
        var leaf = new V1Secret { Data = new Dictionary<string, byte[]> { ["ca.crt"] = _authority.Server(90, "x").Certificate } };
        var good = new V1Secret { Data = new Dictionary<string, byte[]> { ["ca.crt"] = _authority.Pem } };

        var refused = CertificateReview.Of(_route, auth, null, leaf, given, Now);
        var taken = CertificateReview.Of(_route, auth, null, good, given, Now);

        Assert.Equal("clientAuth: Secret \"ca\": ca.crt: CN=server is no certificate of an authority (basicConstraints CA:TRUE); the authorities before are asked", refused.State.Message);
        Assert.Equal<byte>([3], refused.Data["ca.crt"]);
        Assert.Equal((true, "DefaultCertificate"), (taken.State.IsReady, taken.State.Reason));
        Assert.Equal(_authority.Pem, taken.Data["ca.crt"]);
    }

    private V1Secret Secret(int days, params string[] names)
    {
        var (certificate, key) = _authority.Server(days, names);
        return new() { Data = new Dictionary<string, byte[]> { ["tls.crt"] = certificate, ["tls.key"] = key } };
    }
}
