using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Forwarding;

namespace Orchestrator.Proxy.Policies;

/// <summary>Sees to it that bodies end, and in time.</summary>
internal sealed class RequestBodies(ProxyOptions options, TimeProvider time)
{
    /// <summary>To be called before anything of the body is read.</summary>
    public void Guard(HttpContext context, AppPolicy policy)
    {
        // A length that is told was looked at already.
        var most = context.Request.ContentLength is null ? policy.MaxRequestBytes : null;
        var pace = options.MinBodyRate > 0 && IsAwaited(context, policy)
            ? new BodyPace(options.MinBodyRate, options.BodyGrace, context.Response, time)
            : null;
        if (most is not null || pace is not null)
        {
            var guarded = new GuardedBody(context.Request.Body, most, pace);
            context.Request.Body = guarded;
            context.Response.RegisterForDispose(guarded);
        }
    }

    /// <summary>A WebSocket's is no body but a conversation, and so may be that of a gRPC call.</summary>
    private static bool IsAwaited(HttpContext context, AppPolicy policy) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true }
        && !HttpMethods.IsConnect(context.Request.Method)
        && (policy.Route.Protocol is null or ReplicaProtocols.Http1 || !GrpcStatus.IsGrpc(context.Request));
}
