using Microsoft.Net.Http.Headers;

namespace Orchestrator.Proxy.Plain;

/// <summary>Fields that are for one connection, or for the proxy itself, whichever way they go (RFC 9110, 7.6.1): the forwarder's list.</summary>
internal static class HopFields
{
    public static IReadOnlyList<string> All { get; } =
    [
        HeaderNames.Connection, HeaderNames.TransferEncoding, HeaderNames.KeepAlive, HeaderNames.Upgrade, HeaderNames.TE, HeaderNames.AltSvc,
        "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "Proxy-Features", "Proxy-Instruction",
        "Security-Scheme", "ALPN", "Close",
    ];
}
