using System.Globalization;
using k8s.Models;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Certificates;

namespace Orchestrator.ControlPlane.Certificates;

/// <summary>What an app's condition says of its certificate.</summary>
internal sealed record CertificateState(bool IsReady, string Reason, string Message);

/// <summary>
/// Looks at the Secrets that an app's <see cref="RouteTls"/> names: what proxies are to be given, and what is to be said of it. What cannot be
/// used leaves in place what proxies have, since a certificate that is out of date serves better than none. Pure.
/// </summary>
/// <param name="Data">As proxies' Secret is to hold it.</param>
/// <param name="LookAgainAfter">When time alone makes it another; null: never.</param>
internal sealed record CertificateReview(IReadOnlyDictionary<string, byte[]> Data, CertificateState State, TimeSpan? LookAgainAfter)
{
    /// <summary>Before the end a certificate is told of: those that live 90 days are renewed 30 days before by all clients in use.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    /// <param name="certificate">The Secret that <see cref="RouteTls.SecretName"/> names; null: there is none.</param>
    /// <param name="authorities">The one that <see cref="ClientAuthentication.SecretName"/> names.</param>
    /// <param name="given">What proxies have.</param>
    public static CertificateReview Of(
        Route route, RouteTls tls, V1Secret? certificate, V1Secret? authorities, IReadOnlyDictionary<string, byte[]> given, DateTimeOffset now)
    {
        var data = new Dictionary<string, byte[]>();
        var (state, again) = tls.SecretName is { } name ? OfCertificate(route, name, certificate, given, data, now) : (new CertificateState(
            true, CertificateReasons.DefaultCertificate, "no Secret is named: another app's certificate that fits is shown, or the proxies' default one"), null);
        return new(data, OfAuthorities(tls.ClientAuth, authorities, given, data) ?? state, again);
    }

    /// <summary>With what there is to tell of an order that is to replace the certificate; null: nothing.</summary>
    public CertificateReview With(CertificateState? order) =>
        order is null ? this : this with { State = new(State.IsReady, order.Reason, $"{order.Message}; {State.Message}") };

    private static (CertificateState State, TimeSpan? LookAgainAfter) OfCertificate(
        Route route, string name, V1Secret? secret, IReadOnlyDictionary<string, byte[]> given, Dictionary<string, byte[]> data, DateTimeOffset now)
    {
        var (chain, key) = (Value(secret, ProxySecrets.Certificate), Value(secret, ProxySecrets.Key));
        try
        {
            if (secret is null)
            {
                throw new FormatException("not found");
            }

            using var read = KeyedCertificate.Read(chain, key);
            (data[ProxySecrets.Certificate], data[ProxySecrets.Key]) = (chain!, key!);
            return (OfDates(name, read, now) ?? OfNames(route, name, read) ?? new(true, CertificateReasons.Valid, $"Secret \"{name}\" is shown, until {Text(read.NotAfter)}"),
                new[] { read.NotBefore - now, read.NotAfter - Soon - now, read.NotAfter - now }.Where(wait => wait > TimeSpan.Zero).Select(wait => (TimeSpan?)wait).Min());
        }
        catch (FormatException fault)
        {
            var keeps = Keep(given, data, ProxySecrets.Certificate, ProxySecrets.Key);
            return (
                new(false,
                    secret is null ? CertificateReasons.NotFound : CertificateReasons.Invalid,
                    $"Secret \"{name}\"{(secret is null ? " " : ": ")}{fault.Message}{(keeps ? "; the certificate before is shown" : "")}"),
                null);
        }
    }

    private static CertificateState? OfDates(string name, KeyedCertificate read, DateTimeOffset now) =>
        now > read.NotAfter ? new(false, CertificateReasons.Expired, $"Secret \"{name}\": the certificate has ended at {Text(read.NotAfter)}")
        : now < read.NotBefore ? new(false, CertificateReasons.NotYetValid, $"Secret \"{name}\": the certificate begins at {Text(read.NotBefore)}")
        : read.NotAfter - now < Soon ? new(true, CertificateReasons.ExpiresSoon, $"Secret \"{name}\": the certificate ends at {Text(read.NotAfter)}")
        : null;

    private static CertificateState? OfNames(Route route, string name, KeyedCertificate read) =>
        (route.Hosts ?? []).Where(host => !read.Names(host)).ToList() is { Count: > 0 } others
            ? new(false, CertificateReasons.OtherNames, $"Secret \"{name}\": the certificate is not for {string.Join(", ", others)}")
            : null;

    /// <returns>Null: all is well.</returns>
    private static CertificateState? OfAuthorities(
        ClientAuthentication? auth, V1Secret? secret, IReadOnlyDictionary<string, byte[]> given, Dictionary<string, byte[]> data)
    {
        if (auth is null)
        {
            return null;
        }

        var pem = Value(secret, ProxySecrets.ClientAuthorities);
        try
        {
            if (secret is null)
            {
                throw new FormatException("not found");
            }

            CertificateAuthorities.Read(pem);
            data[ProxySecrets.ClientAuthorities] = pem!;
            return null;
        }
        catch (FormatException fault)
        {
            var keeps = Keep(given, data, ProxySecrets.ClientAuthorities);
            return new(
                false,
                secret is null ? CertificateReasons.NotFound : CertificateReasons.Invalid,
                $"clientAuth: Secret \"{auth.SecretName}\"{(secret is null ? " " : ": ")}{fault.Message}{(keeps ? "; the authorities before are asked" : "; no client gets through")}");
        }
    }

    private static bool Keep(IReadOnlyDictionary<string, byte[]> given, Dictionary<string, byte[]> data, params string[] keys)
    {
        if (!keys.All(given.ContainsKey))
        {
            return false;
        }

        foreach (var key in keys)
        {
            data[key] = given[key];
        }

        return true;
    }

    private static byte[]? Value(V1Secret? secret, string key) => secret?.Data?.TryGetValue(key, out var value) == true ? value : null;

    private static string Text(DateTimeOffset moment) => moment.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

/// <summary>Reasons of the condition <see cref="Api.ConditionTypes.CertificateReady"/>.</summary>
internal static class CertificateReasons
{
    public const string Valid = "CertificateValid";
    public const string ExpiresSoon = "CertificateExpiresSoon";
    public const string Expired = "CertificateExpired";
    public const string NotYetValid = "CertificateNotYetValid";
    public const string OtherNames = "CertificateForOtherNames";
    public const string NotFound = "SecretNotFound";
    public const string Invalid = "SecretInvalid";
    public const string DefaultCertificate = "DefaultCertificate";
}
