using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Autoscaling;
using Orchestrator.Proxy.Canaries;
using Orchestrator.Proxy.Clients;
using Orchestrator.Proxy.Health;
using Orchestrator.Proxy.Plain;
using Orchestrator.Proxy.Policies;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tracing;
using Orchestrator.Runtime.Connections;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// Sends a request to a replica of its app, and to another one as long as that is safe: no connection came about, or the request
/// may be repeated and nothing of an answer has come. What has a body and was begun is never sent twice.
/// </summary>
internal sealed class Forwarder : IDisposable
{
    private readonly TimeSpan _connectTimeout;
    private readonly PlainForwarder _plain;
    private readonly IHttpForwarder _forwarder;
    private readonly ForwarderRequestConfig _config;
    private readonly ForwarderRequestConfig _http2;
    private readonly ForwardingTransformer _transformer;
    private readonly Suspects _suspects;
    private readonly Outliers _outliers;
    private readonly TimeProvider _time;
    private readonly ServiceProvider _services;

    public Forwarder(ProxyOptions options, Suspects suspects, Outliers outliers, TimeProvider time)
    {
        (_connectTimeout, _suspects, _outliers, _time) = (options.ConnectTimeout, suspects, outliers, time);
        _plain = new PlainForwarder(options, time);
        _transformer = new ForwardingTransformer(options, time);
        _config = new ForwarderRequestConfig
        {
            ActivityTimeout = options.IdleTimeout,
            Version = System.Net.HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        // By prior knowledge where there is no TLS: no other version is tried.
        _http2 = _config with { Version = System.Net.HttpVersion.Version20 };

        // The forwarder logs each request; what has to be known of them is counted here.
        _services = new ServiceCollection()
            .AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance)
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddHttpForwarder()
            .BuildServiceProvider();
        _forwarder = _services.GetRequiredService<IHttpForwarder>();
    }

    /// <summary>Answers the request, whatever happens.</summary>
    /// <returns>The endpoint that was tried last; null when there was none.</returns>
    public async ValueTask<ReplicaEndpoint?> ForwardAsync(ProxyContext request, AppState app)
    {
        var (context, policy) = (request.Http, app.Policy);
        app.Retries.CountRequest();
        List<ReplicaEndpoint>? tried = null;
        var wasHeld = false;
        while (true)
        {
            var canary = app.Canary;
            var endpoint = app.Acquire(context, tried, out var busy);
            if (endpoint is null && busy)
            {
                (endpoint, busy) = await WaitAsync(context, app, tried);
            }

            if (endpoint is null)
            {
                var held = tried is null && !busy ? await app.HoldAsync(request.Started, context.RequestAborted) : HoldEnd.GivenUp;
                if (held == HoldEnd.Look)
                {
                    wasHeld = true;
                    continue;
                }

                if (held == HoldEnd.ClientGone)
                {
                    return null;
                }

                // Here on a further try only if the last endpoint went away since it was looked for, or the others are busy.
                await ErrorResponse.WriteAsync(
                    context, busy ? ProxyError.Busy : tried is null ? ProxyError.NoReadyReplica : ProxyError.ConnectFailed, app.Key);
                return tried?[^1];
            }

            // What it was held for is no slowness of the replica's.
            request.Try(app, endpoint, tried is null && !wasHeld ? request.Started : _time.GetTimestamp());
            var left = policy.RequestTimeout - _time.GetElapsedTime(request.Started);
            using var patience = Patience(context, Least(left, policy.TryTimeout));
            TryResult result;
            try
            {
                result = await SendAsync(request, endpoint, policy, patience);
            }
            finally
            {
                endpoint.Leave();
                app.Waiting.Release();
            }

            var (error, failure) = result;
            if (error == ForwarderError.None)
            {
                endpoint.Host.Hear();
                var status = GrpcStatus.Of(context, app);
                Count(canary, endpoint, status, _time.GetElapsedTime(request.TryStarted));
                request.Spans?.EndTry(context, status);
                _outliers.Answered(app, endpoint, status, Latency(request));
                return endpoint;
            }

            var noConnection = IsNoConnection(error, failure);
            if (noConnection)
            {
                _suspects.Add(app, endpoint, failure!);
            }

            if (HasEnded(request, app, endpoint, canary, error))
            {
                return endpoint;
            }

            var answer = context.Request.Body is GuardedBody { Fault: { } fault } ? fault
                : ErrorOf(error, failure, noConnection, patience?.IsOver == true);
            var isOurs = answer == ProxyError.NoSocket;
            Count(isOurs ? null : canary, endpoint, answer.Status, latency: null);
            request.Spans?.EndTry(context, answer.Status, answer.Reason);
            if (answer.Status >= StatusCodes.Status500InternalServerError && !isOurs)
            {
                _outliers.Failed(app, endpoint);
            }

            if (MayRepeat(context, error, noConnection) && !(_time.GetElapsedTime(request.Started) >= policy.RequestTimeout)
                && FurtherTries.TryBegin(app, ref tried, endpoint))
            {
                Reset(context);
                continue;
            }

            var isTooSlow = answer == ProxyError.RequestTooSlow;
            if (isTooSlow || answer == ProxyError.RequestTooLarge)
            {
                app.Metrics.Refused(isTooSlow ? AppMetrics.PaceLimit : AppMetrics.SizeLimit).Inc();
            }

            // The rest of a body that is too slow is not waited for either.
            await ErrorResponse.WriteAsync(context, answer, app.Key, endsConnection: isTooSlow);
            return endpoint;
        }
    }

    public void Dispose() => _services.Dispose();

    /// <summary>What failed failed with an answer under way, or with nobody left to answer: no other replica can do anything about it.</summary>
    private bool HasEnded(ProxyContext request, AppState app, ReplicaEndpoint endpoint, CanaryCounts? canary, ForwarderError error)
    {
        var context = request.Http;
        if (context.Response.HasStarted && error == ForwarderError.ResponseBodyDestination)
        {
            app.Metrics.BrokenOff.Inc();
            Count(canary, endpoint, StatusCodes.Status502BadGateway, latency: null);
            request.Spans?.EndTry(context, StatusCodes.Status502BadGateway, "ResponseBrokenOff");
            _outliers.Failed(app, endpoint);
            return true;
        }

        if (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            return false;
        }

        if (context.Response.HasStarted)
        {
            app.Metrics.Abandoned.Inc();
        }

        // The client has gone. How long it had waited is worth knowing: of a replica that hangs nothing else is ever seen.
        var status = context.Response.HasStarted ? context.Response.StatusCode : StatusCodes.Status499ClientClosedRequest;
        Count(canary, endpoint, status, _time.GetElapsedTime(request.TryStarted));
        request.Spans?.EndTry(context, status, RequestSpans.ClientGone);
        endpoint.Conduct.Waited(Latency(request));
        return true;
    }

    /// <summary>Until the answer has ended, or the host is given up.</summary>
    private ValueTask<TryResult> SendAsync(ProxyContext request, ReplicaEndpoint endpoint, AppPolicy policy, Waiting? patience)
    {
        var context = request.Http;
        endpoint.Host.Use();
        return !PlainForwarder.Serves(context, policy) ? SendByLibraryAsync(context, endpoint, policy, patience)
            : patience is null ? _plain.SendAsync(request, endpoint, ConnectionsTo(endpoint).Plain, policy, MayRepeat(context), CancellationToken.None)
            : SendInTimeAsync(request, endpoint, policy, patience);
    }

    private async ValueTask<TryResult> SendInTimeAsync(ProxyContext request, ReplicaEndpoint endpoint, AppPolicy policy, Waiting patience)
    {
        using var late = new CancellationTokenSource();
        patience.Begin(late, _time);
        return await _plain.SendAsync(request, endpoint, ConnectionsTo(endpoint).Plain, policy, MayRepeat(request.Http), late.Token);
    }

    private async ValueTask<TryResult> SendByLibraryAsync(HttpContext context, ReplicaEndpoint endpoint, AppPolicy policy, Waiting? patience)
    {
        var host = endpoint.Host;
        using var givenUp = new CancellationTokenSource();
        using var later = host.Later.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), givenUp);

        // An answer that has begun cannot come from another replica: it is worth waiting for.
        using var soon = MayRepeat(context)
            ? host.Soon.UnsafeRegister(static waiting => ((Waiting)waiting!).GiveUp(), new Waiting(context.Response, givenUp))
            : default;
        patience?.Begin(givenUp, _time);
        var transformer = policy.Rules?.Edits?.After(_transformer) ?? _transformer;
        var prefix = policy.Rules?.Source.ProxyProtocol is { } version ? PrefixFor(context.Connection, endpoint, version) : endpoint.Prefix;
        var error = await _forwarder.SendAsync(context, prefix, ConnectionsTo(endpoint), ConfigOf(policy), transformer, givenUp.Token);
        return new(error, error == ForwarderError.None ? null : context.Features.Get<IForwarderErrorFeature>()?.Exception);
    }

    /// <summary>Waits until an endpoint has room, if that may be waited for.</summary>
    private static async ValueTask<(ReplicaEndpoint? Endpoint, bool Busy)> WaitAsync(HttpContext context, AppState app, List<ReplicaEndpoint>? tried)
    {
        var policy = app.Policy;
        app.Metrics.Waiting.Inc();
        try
        {
            var found = await app.Waiting.WaitAsync(
                () => (app.Acquire(context, tried, out var busy), busy), policy.QueueLength, policy.QueueTime, context.RequestAborted);
            if (found is (null, true))
            {
                app.Metrics.Refused(AppMetrics.BusyLimit).Inc();
            }

            return found;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return (null, true);
        }
        finally
        {
            app.Metrics.Waiting.Dec();
        }
    }

    private ForwarderRequestConfig ConfigOf(AppPolicy policy)
    {
        var config = policy.Route.Protocol is null or ReplicaProtocols.Http1 ? _config : _http2;
        return policy.IdleTimeout is null ? config : policy.Forwarding ??= config with { ActivityTimeout = policy.IdleTimeout };
    }

    private static Waiting? Patience(HttpContext context, TimeSpan? limit) => limit is { } time ? new Waiting(context.Response, time) : null;

    private static TimeSpan? Least(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other : one;

    private TimeSpan Latency(ProxyContext request) =>
        _time.GetElapsedTime(request.TryStarted, request.AnsweredAt == 0 ? _time.GetTimestamp() : request.AnsweredAt);

    private ReplicaConnections ConnectionsTo(ReplicaEndpoint endpoint) =>
        (ReplicaConnections)(endpoint.Connections ?? endpoint.Keep(new ReplicaConnections(endpoint.Id, endpoint.Host, _connectTimeout, _time)));

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

    private static void Reset(HttpContext context)
    {
        RequestIds.Clear(context.Response);
        context.Features.Set<IForwarderErrorFeature>(null);
    }

    private static ProxyError ErrorOf(ForwarderError error, Exception? failure, bool noConnection, bool late) => error switch
    {
        _ when noConnection => OwnShortage.Explains(failure!) ? ProxyError.NoSocket : ProxyError.ConnectFailed,
        _ when late => ProxyError.ReplicaTimeout,
        ForwarderError.RequestTimedOut => ProxyError.ReplicaTimeout,
        ForwarderError.RequestCreation => ProxyError.RequestFailed,

        // Also said where the replica has gone and reading on from the client was given up for that.
        ForwarderError.RequestBodyClient when IsBadRequest(failure) => ProxyError.RequestFailed,
        ForwarderError.Request when failure is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } =>
            ProxyError.InvalidResponse,
        ForwarderError.ResponseHeaders => ProxyError.InvalidResponse,
        _ => ProxyError.ReplicaFailed,
    };

    private static bool IsBadRequest(Exception? failure) => failure switch
    {
        BadHttpRequestException => true,
        AggregateException several => several.InnerExceptions.Any(IsBadRequest),
        _ => failure?.InnerException is { } inner && IsBadRequest(inner),
    };

    /// <summary>For how long an answer may take to begin.</summary>
    private sealed class Waiting(HttpResponse response, TimeSpan limit) : IDisposable
    {
        private CancellationTokenSource? _source;
        private ITimer? _timer;

        public Waiting(HttpResponse response, CancellationTokenSource source)
            : this(response, Timeout.InfiniteTimeSpan) => _source = source;

        /// <summary>It took too long.</summary>
        public bool IsOver { get; private set; }

        public void Begin(CancellationTokenSource source, TimeProvider time)
        {
            _source = source;
            _timer = time.CreateTimer(
                static waiting => ((Waiting)waiting!).End(), this, limit > TimeSpan.Zero ? limit : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }

        public void GiveUp()
        {
            if (!response.HasStarted)
            {
                _source!.Cancel();
            }
        }

        public void Dispose() => _timer?.Dispose();

        private void End()
        {
            IsOver = !response.HasStarted;
            try
            {
                GiveUp();
            }
            catch (ObjectDisposedException)
            {
                // It was answered this very moment.
            }
        }
    }
}
