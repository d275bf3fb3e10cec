namespace Orchestrator.HostAgent.Engines;

/// <summary>Sentences for the ways TLS fails after the engine's certificate was accepted, or before it was seen.</summary>
internal static class TlsErrors
{
    public static EngineException Explain(EngineEndpoint endpoint, EngineCertificates certificates, Exception failure)
    {
        var detail = Detail(failure);
        var message =
            detail.Contains("frame size", StringComparison.Ordinal) || detail.Contains("wrong version number", StringComparison.Ordinal)
                || detail.Contains("record layer", StringComparison.Ordinal)
                ? $"{endpoint} speaks plain HTTP, not TLS: take spec.tlsSecretName away, or turn TLS on at the engine"
            : IsAlert(failure) ? Refusal(endpoint, certificates)
            : failure is IOException ? $"{endpoint} closed the connection during the TLS handshake"
            : $"no TLS with {endpoint}: {detail}";
        return new EngineException(EngineFailure.Tls, message, failure);
    }

    /// <summary>With TLS 1.3 an engine that does not trust our certificate says so only when its first answer is read.</summary>
    public static bool IsAlert(Exception failure)
    {
        for (Exception? at = failure; at is not null; at = at.InnerException)
        {
            if (at.Message.Contains("alert", StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    public static string Refusal(EngineEndpoint endpoint, EngineCertificates? certificates) =>
        $"{endpoint} does not accept our client certificate"
        + (certificates is null ? "" : $" (tls.crt of Secret {certificates.SecretName}, valid until {certificates.NotAfter.ToUniversalTime():u}): is it signed by the CA that the engine trusts?");

    private static string Detail(Exception failure)
    {
        var texts = new List<string>();
        for (Exception? at = failure; at is not null; at = at.InnerException)
        {
            texts.Add(at.Message);
        }

        return string.Join(": ", texts);
    }
}
