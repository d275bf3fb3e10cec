using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.ApiServer.Auth;

/// <summary>Lets a proxy on another machine in: with a certificate of its own that may read what it routes to, and no more.</summary>
public static class ProxyInvitation
{
    /// <summary>Makes a kubeconfig for one proxy. Works beside a running server, on its machine.</summary>
    /// <param name="dataFolder">The server's.</param>
    /// <param name="server">Where the proxy will reach the API server; its certificate must be for that name or address.</param>
    /// <param name="lifetime">Of the proxy's certificate.</param>
    /// <exception cref="InvalidOperationException">It would not get in; the message says why and what to do.</exception>
    public static string Write(string dataFolder, Uri server, TimeSpan lifetime, TimeProvider time)
    {
        var pki = Path.Combine(dataFolder, "pki");
        if (!File.Exists(Path.Combine(pki, "ca.key")) || !File.Exists(Path.Combine(pki, "server.crt")))
        {
            throw new InvalidOperationException($"{dataFolder} is no data folder of an `orc serve`: run this on the server's machine, and name its folder with --data-folder");
        }

        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(pki, "server.crt")));
        if (!certificate.MatchesHostname(server.Host.Trim('[', ']'), allowWildcards: false, allowCommonName: false))
        {
            throw new InvalidOperationException(
                $"the API server has no certificate for {server.Host}: start it with `orc serve --address {(IPAddress.TryParse(server.Host.Trim('[', ']'), out var address) ? address : "[::]")}`, or name with --server what it listens on");
        }

        using var authority = CertificateAuthority.Load(pki, time.GetUtcNow());
        using var client = authority.IssueClient(new Identity(Identity.Proxy, []), lifetime, time.GetUtcNow());
        return ClientKubeconfig.Compose(server, "proxy", authority.Certificate, client);
    }
}
