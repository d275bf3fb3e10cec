namespace Orchestrator.Api.WebApps;

/// <summary>
/// What proxies are told of Secrets. Proxies face the users, so that their account may read no namespace's Secrets but those of
/// <see cref="ApiGroup.ProxyNamespace"/>: the controller lays there what an app's route needs, one Secret an app.
/// </summary>
public static class ProxySecrets
{
    /// <summary>Type of an app's Secret there.</summary>
    public const string Type = "orchestrator.dev/route-tls";

    /// <summary>
    /// Name of the Secret there, of type kubernetes.io/tls and made by the user, whose certificate is shown where no app's fits.
    /// </summary>
    public const string DefaultCertificate = "default-certificate";

    /// <summary>
    /// Type of a Secret there that says what an authority will ask for at <c>/.well-known/acme-challenge/TOKEN</c>: each entry's name is a
    /// token, its value the answer (RFC 8555, 8.3).
    /// </summary>
    public const string ChallengesType = "orchestrator.dev/acme-challenges";

    public const string Certificate = "tls.crt";
    public const string Key = "tls.key";
    public const string ClientAuthorities = "ca.crt";

    /// <summary>Of an app's Secret. Neither part may have a dot itself.</summary>
    public static string NameOf(string @namespace, string app) => $"{@namespace}.{app}";

    /// <summary>Of the Secret of <see cref="ChallengesType"/>, there while a certificate is being ordered for an app. No <see cref="AppOf"/> has one.</summary>
    public static string ChallengesNameOf(string @namespace, string app) => $"acme.{@namespace}.{app}";

    /// <returns>Null for a Secret that has no challenges.</returns>
    public static (string Namespace, string App)? ChallengedAppOf(string name) =>
        name.Split('.') is ["acme", { Length: > 0 } @namespace, { Length: > 0 } app] ? (@namespace, app) : null;

    /// <returns>Null for a Secret that is no app's.</returns>
    public static (string Namespace, string App)? AppOf(string name) =>
        name.Split('.') is [{ Length: > 0 } @namespace, { Length: > 0 } app] ? (@namespace, app) : null;
}
