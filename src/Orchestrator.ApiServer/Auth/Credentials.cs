using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Orchestrator.ApiServer.Auth;

/// <summary>
/// The keys of an installation, in its data folder: the authority, the server's certificate, the admin's token, and a kubeconfig for each
/// who connects. Made on first start, renewed in time.
/// </summary>
internal sealed class Credentials : IDisposable
{
    /// <summary>
    /// Of server and client certificates. Renewed when a third is left, so an installation started once in four months never sees one
    /// expire.
    /// </summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);

    private static readonly (string File, Identity Identity)[] Clients =
    [
        ("admin", Identity.Admin),
        ("controller", new Identity(Identity.Controller, [])),
        ("proxy", new Identity(Identity.Proxy, [])),
    ];

    private readonly string _folder;
    private readonly IPAddress _address;
    private readonly TimeProvider _time;
    private readonly CertificateAuthority _authority;
    private readonly byte[] _tokenHash;

    public Credentials(string folder, IPAddress address, TimeProvider time)
    {
        (_folder, _address, _time) = (folder, address, time);
        PrivateFile.CreateFolder(PkiFolder);
        _authority = CertificateAuthority.Load(PkiFolder, time.GetUtcNow());
        Server = LoadServer() ?? IssueServer();
        _tokenHash = SHA256.HashData(Encoding.ASCII.GetBytes(LoadToken()));
    }

    public X509Certificate2 AuthorityCertificate => _authority.Certificate;

    /// <summary>The certificate to show now.</summary>
    public X509Certificate2 Server { get; private set; }

    private string PkiFolder => Path.Combine(_folder, "pki");

    private string TokenPath => Path.Combine(_folder, "admin.token");

    public string Kubeconfig(string client) => Path.Combine(_folder, client + ".kubeconfig");

    public bool IsAdminToken(string token) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(token)), _tokenHash);

    /// <summary>Writes the kubeconfigs that are missing, name another server, or whose certificate is due.</summary>
    public void WriteKubeconfigs(Uri server)
    {
        foreach (var (client, identity) in Clients)
        {
            var path = Kubeconfig(client);
            if (!ClientKubeconfig.IsGood(path, server, AuthorityCertificate, IsDue))
            {
                using var certificate = _authority.IssueClient(identity, Lifetime, _time.GetUtcNow());
                PrivateFile.Write(path, ClientKubeconfig.Compose(server, client, AuthorityCertificate, certificate));
            }
        }
    }

    /// <summary>Renews what is due.</summary>
    public void Renew(Uri server)
    {
        if (IsDue(Server))
        {
            // The old one is not disposed: handshakes may still use it.
            Server = IssueServer();
        }

        WriteKubeconfigs(server);
    }

    public void Dispose()
    {
        _authority.Dispose();
        Server.Dispose();
    }

    private bool IsDue(X509Certificate2 certificate) =>
        certificate.NotAfter.ToUniversalTime() - _time.GetUtcNow().UtcDateTime < Lifetime / 3;

    private string LoadToken()
    {
        if (File.Exists(TokenPath) && File.ReadAllText(TokenPath).Trim() is { Length: > 0 } token)
        {
            return token;
        }

        var made = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        PrivateFile.Write(TokenPath, made + "\n");
        return made;
    }

    private X509Certificate2? LoadServer()
    {
        var (certificatePath, keyPath) = (Path.Combine(PkiFolder, "server.crt"), Path.Combine(PkiFolder, "server.key"));
        if (!File.Exists(certificatePath) || !File.Exists(keyPath))
        {
            return null;
        }

        var (certificate, key) = (File.ReadAllText(certificatePath), File.ReadAllText(keyPath));
        X509Certificate2 loaded;
        try
        {
            loaded = X509Certificate2.CreateFromPem(certificate, key);
        }
        catch (Exception torn) when (torn is CryptographicException or ArgumentException)
        {
            // Key and certificate are two files: a crash between the two leaves a pair that does not match.
            return null;
        }

        var names = loaded.Extensions.OfType<X509SubjectAlternativeNameExtension>().ToList();
        var isGood = !IsDue(loaded)
            && CertificateAuthority.IsOf(loaded, AuthorityCertificate)
            && Addresses().All(address => names.Any(extension => extension.EnumerateIPAddresses().Contains(address)))
            && Names().All(name => names.Any(extension => extension.EnumerateDnsNames().Contains(name)));
        if (isGood)
        {
            return loaded;
        }

        loaded.Dispose();
        return null;
    }

    private X509Certificate2 IssueServer()
    {
        var certificate = _authority.IssueServer("orchestrator-apiserver", Names(), Addresses(), Lifetime, _time.GetUtcNow());
        PrivateFile.Write(Path.Combine(PkiFolder, "server.key"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n");
        PrivateFile.Write(Path.Combine(PkiFolder, "server.crt"), certificate.ExportCertificatePem() + "\n");
        return certificate;
    }

    private static IReadOnlyList<string> Names() =>
        [.. new[] { "localhost", "kubernetes", "kubernetes.default.svc", HostName() }.Where(IsDnsName).Distinct()];

    private IReadOnlyList<IPAddress> Addresses()
    {
        IEnumerable<IPAddress> addresses = [IPAddress.Loopback, IPAddress.IPv6Loopback];
        return IPAddress.Any.Equals(_address) || IPAddress.IPv6Any.Equals(_address)
            ? [.. addresses, .. LocalAddresses().Except(addresses)]
            : [.. addresses.Append(_address).Distinct()];
    }

    // Bound to all addresses, it may be called by any of them.
    private static IEnumerable<IPAddress> LocalAddresses() => System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(each => each.GetIPProperties().UnicastAddresses)
        .Select(each => each.Address)
        .Where(address => !address.IsIPv6LinkLocal);

    private static string HostName() => Dns.GetHostName().ToLowerInvariant();

    private static bool IsDnsName(string name) => Selectors.LabelNames.CheckSubdomain(name).Count == 0;
}
