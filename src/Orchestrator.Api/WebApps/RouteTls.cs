using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// The app is served over TLS: its certificate, and what becomes of requests that come without. Compared by value.
/// </summary>
public sealed record RouteTls
{
    /// <summary>
    /// Secret of type kubernetes.io/tls in the app's namespace: <c>tls.crt</c> (with its intermediates) and <c>tls.key</c>, PEM. Absent:
    /// the certificate of another app that fits the host name, or else the proxies' default one
    /// (<see cref="ProxySecrets.DefaultCertificate"/>).
    /// </summary>
    [JsonPropertyName("secretName")]
    public string? SecretName { get; init; }

    /// <summary>
    /// Whether the certificate is ordered (RFC 8555) for the route's hosts and those of its redirects, kept as <see cref="AcmeCertificates"/>
    /// says, and renewed. In place of <see cref="SecretName"/>, which goes first where nobody has checked that one of both is set.
    /// </summary>
    [JsonPropertyName("acme")]
    public bool? Acme { get; init; }

    /// <summary>Whether plain requests are sent to https (308). Default true.</summary>
    [JsonPropertyName("redirect")]
    public bool? Redirect { get; init; }

    /// <summary>What browsers are told to remember (RFC 6797); nothing when absent.</summary>
    [JsonPropertyName("hsts")]
    public StrictTransport? Hsts { get; init; }

    /// <summary>Certificates of clients (mutual TLS); none are asked for when absent.</summary>
    [JsonPropertyName("clientAuth")]
    public ClientAuthentication? ClientAuth { get; init; }

    [JsonIgnore]
    public bool Redirects => Redirect ?? true;

    [JsonIgnore]
    public bool IsOrdered => Acme == true && SecretName is null;

    /// <summary>The Secret with the certificate of the app of this name; null: there is none of its own.</summary>
    public string? SecretNameFor(string app) => IsOrdered ? AcmeCertificates.SecretNameOf(app) : SecretName;
}

/// <summary>The field Strict-Transport-Security.</summary>
public sealed record StrictTransport
{
    /// <summary>A year, as browsers' preload lists ask for at least.</summary>
    public const long DefaultMaxAgeSeconds = 31_536_000;

    /// <summary>Seconds that a browser remembers; 0 makes it forget. Default a year.</summary>
    [JsonPropertyName("maxAgeSeconds")]
    public long? MaxAgeSeconds { get; init; }

    [JsonPropertyName("includeSubDomains")]
    public bool? IncludeSubDomains { get; init; }

    /// <summary>Consents to the browsers' own lists of hosts, from which it is hard to come off again.</summary>
    [JsonPropertyName("preload")]
    public bool? Preload { get; init; }

    /// <summary>As the field's value.</summary>
    public override string ToString() =>
        $"max-age={MaxAgeSeconds ?? DefaultMaxAgeSeconds}{(IncludeSubDomains == true ? "; includeSubDomains" : "")}{(Preload == true ? "; preload" : "")}";
}

/// <summary>Mutual TLS towards clients.</summary>
public sealed record ClientAuthentication
{
    public const string Require = "Require";
    public const string Optional = "Optional";

    /// <summary>Secret in the app's namespace: <c>ca.crt</c>, PEM, one authority or several, of which a client's certificate must come.</summary>
    [JsonPropertyName("secretName")]
    public string SecretName { get; init; } = "";

    /// <summary>
    /// <see cref="Require"/> (the default): no request without a good certificate. <see cref="Optional"/>: requests without one are passed on
    /// too; a certificate that is shown must be good all the same.
    /// </summary>
    [JsonPropertyName("mode")]
    public string? Mode { get; init; }

    [JsonIgnore]
    public bool IsRequired => Mode != Optional;
}
