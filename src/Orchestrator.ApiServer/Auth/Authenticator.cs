using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.ApiServer.Auth;

/// <summary>Finds out who asks: by client certificate of our authority (CN, O), or by the admin's bearer token.</summary>
internal sealed class Authenticator(Credentials credentials, TimeProvider time)
{
    private static readonly object Item = new();

    /// <returns>Null when credentials were shown that are not good: 401. Anonymous when none were.</returns>
    public Identity? Authenticate(HttpContext context)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return credentials.IsAdminToken(authorization["Bearer ".Length..].Trim()) ? Identity.Admin : null;
        }

        if (authorization.Length > 0)
        {
            return null;
        }

        // A connection keeps its certificate: checked once, then only for its end.
        var items = context.Features.Get<IConnectionItemsFeature>()!.Items;
        if (items.TryGetValue(Item, out var known) && known is Known(var identity, var until))
        {
            return time.GetUtcNow() < until ? identity : null;
        }

        if (context.Connection.ClientCertificate is not { } certificate)
        {
            return Identity.Anonymous;
        }

        if (!CertificateAuthority.HasSigned(certificate, credentials.AuthorityCertificate) || !IsForClients(certificate))
        {
            return null;
        }

        var found = Read(certificate.SubjectName);
        items[Item] = new Known(found, certificate.NotAfter.ToUniversalTime());
        return found;
    }

    private static bool IsForClients(X509Certificate2 certificate) => certificate.Extensions
        .OfType<X509EnhancedKeyUsageExtension>()
        .Any(usage => usage.EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>().Any(oid => oid.Value == "1.3.6.1.5.5.7.3.2"));

    private static Identity Read(X500DistinguishedName subject)
    {
        var (name, groups) = ("", new List<string>());
        foreach (var part in subject.EnumerateRelativeDistinguishedNames())
        {
            switch (part.GetSingleElementType().Value)
            {
                case "2.5.4.3":
                    name = part.GetSingleElementValue() ?? "";
                    break;
                case "2.5.4.10":
                    groups.Add(part.GetSingleElementValue() ?? "");
                    break;
            }
        }

        return new Identity(name, groups);
    }

    private sealed record Known(Identity Identity, DateTimeOffset Until);
}
