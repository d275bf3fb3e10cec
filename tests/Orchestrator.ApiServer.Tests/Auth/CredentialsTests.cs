using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.ApiServer.Auth;

namespace Orchestrator.ApiServer.Tests.Auth;

public sealed class CredentialsTests : IDisposable
{
    private static readonly Uri Server = new("https://127.0.0.1:6443");

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    [Fact]
    public void A_certificate_is_renewed_when_a_third_of_its_life_is_left_and_the_authority_stays()
    {
        using var first = Load();
        first.WriteKubeconfigs(Server);
        var (kubeconfig, authority) = (Kubeconfig(first), first.AuthorityCertificate.Thumbprint);

        _time.Advance(TimeSpan.FromDays(200));
        using var soon = Load();
        soon.WriteKubeconfigs(Server);
        Assert.Equal((first.Server.Thumbprint, kubeconfig), (soon.Server.Thumbprint, Kubeconfig(soon)));

        _time.Advance(TimeSpan.FromDays(60));
        var old = soon.Server.Thumbprint;
        soon.Renew(Server);
        Assert.NotEqual(old, soon.Server.Thumbprint);
        Assert.NotEqual(kubeconfig, Kubeconfig(soon));
        Assert.Equal(authority, soon.AuthorityCertificate.Thumbprint);
        using var later = Load();
        Assert.Equal(soon.Server.Thumbprint, later.Server.Thumbprint);
    }

    [Fact]
    public void A_renewed_authority_keeps_its_key_so_that_older_certificates_verify()
    {
        using var first = Load();
        var (old, server) = (first.AuthorityCertificate.Thumbprint, X509CertificateLoader.LoadCertificate(first.Server.RawData));
        _time.Advance(TimeSpan.FromDays(365 * 9));
        using var later = Load();
        Assert.NotEqual(old, later.AuthorityCertificate.Thumbprint);
        Assert.True(CertificateAuthority.IsOf(server, later.AuthorityCertificate));
    }

    [Fact]
    public void A_kubeconfig_follows_the_server_to_another_port()
    {
        using var credentials = Load();
        credentials.WriteKubeconfigs(Server);
        credentials.WriteKubeconfigs(new Uri("https://127.0.0.1:7443"));
        Assert.Contains("server: https://127.0.0.1:7443\n", Kubeconfig(credentials), StringComparison.Ordinal);
    }

    [Fact]
    public void The_server_s_certificate_names_all_that_it_is_called_by()
    {
        using var credentials = Load(IPAddress.Parse("10.1.2.3"));
        var names = credentials.Server.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Superset(new HashSet<string> { "localhost", "kubernetes" }, names.EnumerateDnsNames().ToHashSet());
        Assert.Superset(
            new HashSet<IPAddress> { IPAddress.Loopback, IPAddress.IPv6Loopback, IPAddress.Parse("10.1.2.3") },
            names.EnumerateIPAddresses().ToHashSet());
        Assert.True(CertificateAuthority.HasSigned(credentials.Server, credentials.AuthorityCertificate));
    }

    [Fact]
    public void A_torn_pair_of_key_and_certificate_is_made_anew()
    {
        string old;
        using (var first = Load())
        {
            old = first.Server.Thumbprint;
        }

        using (var other = new TemporaryFolder())
        {
            using var foreign = new Credentials(other.Path, IPAddress.Loopback, _time);
            File.Copy(other["pki/server.key"], _folder["pki/server.key"], overwrite: true);
        }

        using var mended = Load();
        Assert.NotEqual(old, mended.Server.Thumbprint);
        Assert.True(mended.Server.HasPrivateKey);
    }

    [Fact]
    public void Only_the_token_on_disk_is_the_admin_s()
    {
        using var credentials = Load();
        var token = File.ReadAllText(_folder["admin.token"]).Trim();
        Assert.Equal(64, token.Length);
        Assert.True(credentials.IsAdminToken(token));
        Assert.False(credentials.IsAdminToken(token[1..]));
        Assert.False(credentials.IsAdminToken(""));
    }

    public void Dispose() => _folder.Dispose();

    private Credentials Load(IPAddress? address = null) => new(_folder.Path, address ?? IPAddress.Loopback, _time);

    private static string Kubeconfig(Credentials credentials) => File.ReadAllText(credentials.Kubeconfig("admin"));
}
