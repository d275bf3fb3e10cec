namespace Orchestrator.Proxy.Tls;

/// <summary>A request's client has shown a certificate that the app accepts.</summary>
/// <param name="Field">The certificate as the field Client-Cert has it (RFC 9440).</param>
internal sealed record VerifiedClient(string Field);
