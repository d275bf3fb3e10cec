using System.Net;

namespace Orchestrator.Proxy;

/// <summary>How the access log tells of a request.</summary>
public enum AccessLogFormat
{
    /// <summary>One JSON object a line, with app, replica, time taken and ids.</summary>
    Json,

    /// <summary>The combined format of Apache and nginx.</summary>
    Combined,
}

/// <summary>How a proxy runs. Each has a default but the folder.</summary>
public sealed record ProxyOptions
{
    public const int DefaultPort = 8080;
    public const int DefaultAdminPort = 9181;

    /// <summary>Where the last known routes are kept; made if missing. One proxy a folder.</summary>
    public required string StateFolder { get; init; }

    /// <summary>Address of the listeners, the apps' own included. Default: all of the machine, IPv4 and IPv6.</summary>
    public IPAddress Address { get; init; } = IPAddress.IPv6Any;

    /// <summary>Port of the shared listener, 0 to 65535. 0 takes any that is free. Default 8080.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Address and port of the shared TLS listener, which serves what the shared one does. Default null: none.</summary>
    public IPEndPoint? Tls { get; init; }

    /// <summary>
    /// The port by which users reach <see cref="Tls"/>, if it is another, as behind a port mapping: plain requests are sent there.
    /// Default null: the same.
    /// </summary>
    public int? HttpsPort { get; init; }

    /// <summary>
    /// Where metrics, health and a dump of the routes are served; null: nowhere. Default 127.0.0.1:9181, since it has no login.
    /// </summary>
    public IPEndPoint? Admin { get; init; } = new(IPAddress.Loopback, DefaultAdminPort);

    /// <summary>
    /// First part of the name of this proxy's Lease, a DNS label of at most 50 characters; a random part makes it unique.
    /// Default: <c>proxy</c> and the machine's name.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>
    /// How long requests in flight may go on when the proxy stops or a listener closes; what is left then is aborted. Default 30 s,
    /// as long as replicas get by default.
    /// </summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// For a connection to a replica. Default 1.5 s: outlasts one lost packet (Linux sends the next after 1 s) and little more, since
    /// there is another replica to try.
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>
    /// How long a request, a stream or a WebSocket may go without a byte in either direction. Default 10 minutes: reports take
    /// long and chats are silent; it is only there for peers that are gone for good.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A file that gets a line for each request, appended; <c>-</c> is standard output. Default: none.</summary>
    public string? AccessLog { get; init; }

    /// <summary>Of the access log's lines. Default: JSON.</summary>
    public AccessLogFormat AccessLogFormat { get; init; }

    /// <summary>The share of requests that are logged, 0 to 1; answers of 400 and more always are. Default 1: all.</summary>
    public double AccessLogSample { get; init; } = 1;

    /// <summary>
    /// Networks of proxies in front of this one. Only what they say of the client (X-Forwarded-For, -Proto, -Host, Forwarded) and of
    /// the request's id counts. Default: none.
    /// </summary>
    public IReadOnlyList<IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>
    /// Whether connections from <see cref="TrustedProxies"/> begin with a PROXY protocol header (version 1 or 2), by which the client's
    /// address is known. Default: no.
    /// </summary>
    public bool AcceptProxyProtocol { get; init; }

    /// <summary>Whether replicas get Forwarded (RFC 7239) beside X-Forwarded-*. Default: no.</summary>
    public bool Forwarded { get; init; }

    /// <summary>Whether each request has an X-Request-Id: replica, client and access log get it. Default: yes.</summary>
    public bool RequestIds { get; init; } = true;

    /// <summary>Whether a request without a trace gets one (W3C traceparent); those that have one keep it. Default: no.</summary>
    public bool BeginTraces { get; init; }

    /// <summary>
    /// Listens beside a proxy that has the ports already, which is then stopped by whoever started this one: a restart without a
    /// moment in which nobody listens. Whoever stopped it says so by <see cref="ProxyServer.EndTakeOver"/>. Default: a port that is
    /// taken is an error.
    /// </summary>
    public bool TakeOver { get; init; }
}
