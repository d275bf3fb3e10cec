using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Proxy;

/// <summary>How the access log tells of a request.</summary>
public enum AccessLogFormat
{
    /// <summary>One JSON object a line, with app, replica, time taken and ids.</summary>
    Json,

    /// <summary>The combined format of Apache and nginx.</summary>
    Combined,
}

/// <summary>How spans are sent to an OTLP receiver.</summary>
public enum OtlpProtocol
{
    /// <summary>gRPC; its port is 4317.</summary>
    Grpc,

    /// <summary>Protobuf in HTTP; its port is 4318.</summary>
    HttpProtobuf,
}

/// <summary>How a proxy runs. Each has a default but the folder.</summary>
public sealed record ProxyOptions
{
    public const int DefaultPort = 8080;
    public const int DefaultAdminPort = 9181;
    public const int DefaultMinBodyRate = 240;

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
    /// Where the proxy is, as hosts say it by their label topology.kubernetes.io/zone: apps may have replicas near it preferred. Default
    /// null: nowhere in particular.
    /// </summary>
    public string? Zone { get; init; }

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

    /// <summary>
    /// For the line and the header fields of a request, from its first byte; what takes longer is
    /// answered 408 and the connection closed. Default 30 s.
    /// </summary>
    public TimeSpan HeadersTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Bytes a second at which a request's body has to come, on the average of the time that was waited for it, after <see cref="BodyGrace"/>
    /// and until its answer begins; a slower one is answered 408. 0: however slowly. Default 240, as in IIS and Kestrel: less than any
    /// connection that works.
    /// </summary>
    public int MinBodyRate { get; init; } = DefaultMinBodyRate;

    /// <summary>
    /// For how long in all a body may come slower than <see cref="MinBodyRate"/>. Default 60 s, as nginx waits (client_body_timeout): a telephone in a
    /// tunnel.
    /// </summary>
    public TimeSpan BodyGrace { get; init; } = TimeSpan.FromSeconds(60);

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
    /// The OTLP receiver that gets spans of requests and of their tries at replicas: an http or https URL, without the path that OTLP
    /// defines for HTTP. What else there is to say is said by OpenTelemetry's own variables of the environment: headers, timeout, service name, sampler,
    /// queue. Default null: no spans are made.
    /// </summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary>What <see cref="OtlpEndpoint"/> speaks. Default: gRPC.</summary>
    public OtlpProtocol OtlpProtocol { get; init; }

    /// <summary>
    /// Sockets that listen already, by their endpoints, as a service manager hands them over: listeners at these endpoints take them instead of
    /// ones of their own. Owned. Default: none.
    /// </summary>
    public IReadOnlyDictionary<IPEndPoint, Socket> Sockets { get; init; } = new Dictionary<IPEndPoint, Socket>();

    /// <summary>
    /// Listens beside a proxy that has the ports already, which is then stopped by whoever started this one: a restart without a
    /// moment in which nobody listens. Whoever stopped it says so by <see cref="ProxyServer.EndTakeOver"/>. Default: a port that is
    /// taken is an error.
    /// </summary>
    public bool TakeOver { get; init; }
}
