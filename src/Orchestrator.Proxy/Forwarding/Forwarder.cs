using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Proxy.Canaries;
using Orchestrator.Proxy.Clients;
using Orchestrator.Proxy.Health;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tracing;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// Sends a request to a replica of its app, and to another one as long as that is safe: no connection came about, or the request
/// may be repeated and nothing of an answer has come. What has a body and was begun is never sent twice.
/// </summary>
internal sealed class Forwarder : IDisposable
{
    /// <summary>Tries after the first one, each on another replica: enough for a host that has gone with several of them.</summary>
    public const int MaxRetries = 2;

    private readonly TimeSpan _connectTimeout;
    private readonly IHttpForwarder _forwarder;
    private readonly ForwarderRequestConfig _config;
    private readonly ForwardingTransformer _transformer;
    private readonly Suspects _suspects;
    private readonly TimeProvider _time;
    private readonly ServiceProvider _services;

    public Forwarder(ProxyOptions options, Suspects suspects, TimeProvider time)
    {
        (_connectTimeout, _suspects, _time) = (options.ConnectTimeout, suspects, time);
        _transformer = new(options);
        _config = new ForwarderRequestConfig
        {
            ActivityTimeout = options.IdleTimeout,
            Version = System.Net.HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        // The forwarder logs each request; what has to be known of them is counted here.
        _services = new ServiceCollection()
            .AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance)
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddHttpForwarder()
            .BuildServiceProvider();
        _forwarder = _services.GetRequiredService<IHttpForwarder>();
    }

    /// <summary>Answers the request, whatever happens.</summary>
    /// <param name="started">Timestamp of its headers.</param>
    /// <returns>The endpoint that was tried last; null when there was none.</returns>
    public async ValueTask<ReplicaEndpoint?> ForwardAsync(HttpContext context, AppState app, long started)
    {
        app.Retries.CountRequest();
        List<ReplicaEndpoint>? tried = null;
        while (true)
        {
            var canary = app.Canary;
            var endpoint = app.Acquire(tried);
            if (endpoint is null)
            {
                // Here on a further try only if the last endpoint went away since it was looked for.
                await ErrorResponse.WriteAsync(context, tried is null ? ProxyError.NoReadyReplica : ProxyError.ConnectFailed, app.Key);
                return tried?[^1];
            }

            ForwarderError error;
            try
            {
                error = await SendAsync(context, endpoint, app.Rules);
            }
            finally
            {
                endpoint.Leave();
            }

            if (error == ForwarderError.None)
            {
                endpoint.Host.Hear();
                Count(canary, endpoint, context.Response.StatusCode, _time.GetElapsedTime(started));
                return endpoint;
            }

            var failure = context.Features.Get<IForwarderErrorFeature>()?.Exception;
            var noConnection = IsNoConnection(error, failure);
            if (noConnection)
            {
                _suspects.Add(app, endpoint, failure!);
            }

            if (context.Response.HasStarted && error == ForwarderError.ResponseBodyDestination)
            {
                app.Metrics.BrokenOff.Inc();
                Count(canary, endpoint, StatusCodes.Status502BadGateway, latency: null);
                return endpoint;
            }

            if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
            {
                // The client has gone. How long it had waited is worth knowing: of a replica that hangs nothing else is ever seen.
                var status = context.Response.HasStarted ? context.Response.StatusCode : StatusCodes.Status499ClientClosedRequest;
                Count(canary, endpoint, status, _time.GetElapsedTime(started));
                return endpoint;
            }

            var answer = ErrorOf(error, failure, noConnection);
            Count(canary, endpoint, answer.Status, latency: null);
            if (MayRepeat(context, error, noConnection) && (tried?.Count ?? 0) < MaxRetries && HasAnother(app, tried, endpoint))
            {
                // From a new revision back to the stable one there is always a way: the stable one gets no more than all requests once.
                if (app.Shared.IsOnTrial(endpoint) || app.Retries.TrySpend())
                {
                    (tried ??= new(MaxRetries)).Add(endpoint);
                    app.Metrics.Retries.Inc();
                    Reset(context);
                    started = _time.GetTimestamp();
                    continue;
                }

                app.Metrics.RetriesRefused.Inc();
            }

            await ErrorResponse.WriteAsync(context, answer, app.Key);
            return endpoint;
        }
    }

    public void Dispose() => _services.Dispose();

    /// <summary>Until the answer has ended, or the host is given up.</summary>
    private async ValueTask<ForwarderError> SendAsync(HttpContext context, ReplicaEndpoint endpoint, RequestRules? rules)
    {
        var host = endpoint.Host;
        host.Use();
        using var givenUp = new CancellationTokenSource();
        using var later = host.Later.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), givenUp);

        // An answer that has begun cannot come from another replica: it is worth waiting for.
        using var soon = MayRepeat(context)
            ? host.Soon.UnsafeRegister(static waiting => ((Waiting)waiting!).GiveUp(), new Waiting(context.Response, givenUp))
            : default;
        var transformer = rules?.Edits?.After(_transformer) ?? _transformer;
        var prefix = rules?.Source.ProxyProtocol is { } version ? PrefixFor(context.Connection, endpoint, version) : endpoint.Prefix;
        return await _forwarder.SendAsync(context, prefix, ConnectionsTo(endpoint), _config, transformer, givenUp.Token);
    }

    private HttpMessageInvoker ConnectionsTo(ReplicaEndpoint endpoint) =>
        endpoint.Connections ?? endpoint.Keep(new ReplicaConnections(endpoint.Id, _connectTimeout, _time));

    private static string PrefixFor(ConnectionInfo connection, ReplicaEndpoint endpoint, string version)
    {
        var client = ClientLine.Of(version, connection.RemoteIpAddress, connection.RemotePort, connection.LocalIpAddress, connection.LocalPort);
        return $"http://{client.ToHost()}:{endpoint.Id.Port}";
    }

    private static void Count(CanaryCounts? canary, ReplicaEndpoint endpoint, int status, TimeSpan? latency)
    {
        endpoint.Metrics?.Count(status);
        canary?.Count(endpoint, status, latency);
    }

    private static bool IsNoConnection(ForwarderError error, Exception? failure) =>
        error == ForwarderError.Request
        && failure is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };

    /// <param name="error">Canceled, and not by the client, is given up because the host is silent.</param>
    private static bool MayRepeat(HttpContext context, ForwarderError error, bool noConnection) =>
        noConnection || (error is ForwarderError.Request or ForwarderError.RequestCanceled && MayRepeat(context));

    private static bool MayRepeat(HttpContext context) =>
        ReplicaConnections.IsRepeatable(context.Request.Method)
        && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false };

    private static bool HasAnother(AppState app, List<ReplicaEndpoint>? tried, ReplicaEndpoint failed)
    {
        foreach (var endpoint in app.Endpoints)
        {
            if (endpoint != failed && tried?.Contains(endpoint) != true)
            {
                return true;
            }
        }

        return false;
    }

    private static void Reset(HttpContext context)
    {
        RequestIds.Clear(context.Response);
        context.Features.Set<IForwarderErrorFeature>(null);
    }

    private static ProxyError ErrorOf(ForwarderError error, Exception? failure, bool noConnection) => error switch
    {
        _ when noConnection => ProxyError.ConnectFailed,
        ForwarderError.RequestTimedOut => ProxyError.ReplicaTimeout,
        ForwarderError.RequestBodyClient or ForwarderError.RequestCreation => ProxyError.RequestFailed,
        ForwarderError.Request when failure is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } =>
            ProxyError.InvalidResponse,
        ForwarderError.ResponseHeaders => ProxyError.InvalidResponse,
        _ => ProxyError.ReplicaFailed,
    };

    private sealed record Waiting(HttpResponse Response, CancellationTokenSource Source)
    {
        public void GiveUp()
        {
            if (!Response.HasStarted)
            {
                Source.Cancel();
            }
        }
    }
}
