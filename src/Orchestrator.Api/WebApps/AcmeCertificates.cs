namespace Orchestrator.Api.WebApps;

/// <summary>Certificates that are ordered for apps (<see cref="RouteTls.Acme"/>).</summary>
public static class AcmeCertificates
{
    /// <summary>Of one certificate; authorities in use take no more.</summary>
    public const int MostHosts = 100;

    private const string Suffix = "-acme-tls";

    /// <summary>Name of the Secret, of type kubernetes.io/tls in the app's namespace, that holds an app's.</summary>
    public static string SecretNameOf(string app) => app + Suffix;

    /// <returns>The app whose Secret would have this name; null for other names.</returns>
    public static string? AppOf(string secret) =>
        secret.Length > Suffix.Length && secret.EndsWith(Suffix, StringComparison.Ordinal) ? secret[..^Suffix.Length] : null;

    /// <summary>What a certificate is ordered for: the hosts of the route and of its redirects, but for wildcards, which HTTP-01 cannot prove.</summary>
    public static IEnumerable<string> HostsOf(Route route) =>
        (route.Hosts ?? []).Concat((route.Redirects ?? []).SelectMany(redirect => redirect.Hosts ?? []))
            .Select(host => host.ToLowerInvariant())
            .Where(host => !host.StartsWith("*.", StringComparison.Ordinal))
            .Distinct();
}
