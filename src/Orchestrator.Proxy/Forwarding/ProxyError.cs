using Microsoft.AspNetCore.Http;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>An answer that is the proxy's own because no replica gave one.</summary>
/// <param name="Reason">One CamelCase word for programs.</param>
/// <param name="ProxyStatus">The error type of RFC 9209, which tells clients and proxies in between whose answer this is.</param>
/// <param name="Message">A sentence for people; {0} is the app. No addresses: it is for anyone who asks.</param>
internal sealed record ProxyError(int Status, string Reason, string ProxyStatus, string Message)
{
    public static readonly ProxyError NoRoute = new(
        StatusCodes.Status404NotFound, nameof(NoRoute), "destination_not_found", "no app is routed at this host and path");

    public static readonly ProxyError RoutesUnknown = new(
        StatusCodes.Status503ServiceUnavailable, nameof(RoutesUnknown), "proxy_internal_error",
        "the proxy has just started and does not know its routes yet");

    public static readonly ProxyError NoReadyReplica = new(
        StatusCodes.Status503ServiceUnavailable, nameof(NoReadyReplica), "destination_unavailable", "no replica of app {0} is ready");

    public static readonly ProxyError ConnectFailed = new(
        StatusCodes.Status502BadGateway, nameof(ConnectFailed), "connection_refused", "no replica of app {0} accepted a connection");

    public static readonly ProxyError ReplicaFailed = new(
        StatusCodes.Status502BadGateway, nameof(ReplicaFailed), "connection_terminated",
        "a replica of app {0} broke off before it had answered");

    public static readonly ProxyError InvalidResponse = new(
        StatusCodes.Status502BadGateway, nameof(InvalidResponse), "http_protocol_error",
        "a replica of app {0} gave an answer that is not valid HTTP");

    public static readonly ProxyError ReplicaTimeout = new(
        StatusCodes.Status504GatewayTimeout, nameof(ReplicaTimeout), "http_response_timeout",
        "a replica of app {0} did not answer in time");

    public static readonly ProxyError Busy = new(
        StatusCodes.Status503ServiceUnavailable, nameof(Busy), "connection_limit_reached",
        "all replicas of app {0} have as many requests as they may, and as many wait");

    public static readonly ProxyError NoSocket = new(
        StatusCodes.Status503ServiceUnavailable, nameof(NoSocket), "connection_limit_reached", "the proxy has as many connections as it may, and none for app {0}");

    public static readonly ProxyError RateLimited = new(
        StatusCodes.Status429TooManyRequests, nameof(RateLimited), "http_request_denied", "app {0} takes no more requests of this kind for now");

    public static readonly ProxyError RequestTooLarge = new(
        StatusCodes.Status413PayloadTooLarge, nameof(RequestTooLarge), "http_request_error", "the request's body is larger than app {0} takes");

    public static readonly ProxyError RequestTooSlow = new(
        StatusCodes.Status408RequestTimeout, nameof(RequestTooSlow), "http_request_error", "the request's body came too slowly");

    public static readonly ProxyError RequestFailed = new(
        StatusCodes.Status400BadRequest, nameof(RequestFailed), "http_request_error", "the request could not be read to its end");

    public static readonly ProxyError Ambiguous = new(
        StatusCodes.Status400BadRequest, nameof(Ambiguous), "http_request_error", "the request can be read in more than one way");

    public static readonly ProxyError TunnelRefused = new(
        StatusCodes.Status405MethodNotAllowed, nameof(TunnelRefused), "http_request_denied", "CONNECT is not served here");

    public static readonly ProxyError TlsRequired = new(
        StatusCodes.Status403Forbidden, nameof(TlsRequired), "http_request_denied", "app {0} is served by https alone");

    public static readonly ProxyError ClientCertificateRequired = new(
        StatusCodes.Status403Forbidden, nameof(ClientCertificateRequired), "http_request_denied", "app {0} asks for a certificate of the client");

    public static readonly ProxyError ClientCertificateInvalid = new(
        StatusCodes.Status403Forbidden, nameof(ClientCertificateInvalid), "http_request_denied",
        "the client's certificate is not one that app {0} accepts, or not in its time");

    public static readonly ProxyError ClientAuthoritiesUnknown = new(
        StatusCodes.Status503ServiceUnavailable, nameof(ClientAuthoritiesUnknown), "proxy_configuration_error",
        "the authorities of the clients of app {0} are not known");

    public static readonly ProxyError Misdirected = new(
        StatusCodes.Status421MisdirectedRequest, nameof(Misdirected), "http_request_error",
        "app {0} asks for a certificate of the client, and this connection was made for another host name: come again by a new one");

    /// <summary>Worth another try soon.</summary>
    public bool IsPassing => Status == StatusCodes.Status503ServiceUnavailable;
}
