using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tracing;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>What belongs to one request. Kestrel keeps it with the connection, so that a request on an open one allocates none.</summary>
internal sealed class ProxyContext
{
    public DefaultHttpContext Http { get; } = new();

    /// <summary>A timestamp of the TimeProvider.</summary>
    public long Started { get; private set; }

    public AppState? App { get; private set; }

    /// <summary>Whether the app's traffic has it: what its limits turned away is no load.</summary>
    public bool IsCounted { get; private set; }

    /// <summary>The endpoint that is asked.</summary>
    public ReplicaEndpoint? Endpoint { get; private set; }

    /// <summary>Timestamp of the beginning of the try that is under way.</summary>
    public long TryStarted { get; private set; }

    /// <summary>Timestamp of the beginning of its answer; 0 until then.</summary>
    public long AnsweredAt { get; private set; }

    /// <summary>Null: nobody wants them.</summary>
    public RequestSpans? Spans { get; set; }

    /// <summary>That of a request, if its server keeps one: Kestrel does.</summary>
    public static ProxyContext? Of(HttpContext context) => (context.Features as IHostContextContainer<ProxyContext>)?.HostContext;

    public void Begin(IFeatureCollection features, long started)
    {
        Http.Initialize(features);
        Started = started;
        (App, Endpoint, IsCounted, Spans) = (null, null, false, null);
    }

    /// <summary>Begins a request of the app's; whoever ends it is to see that it was.</summary>
    public void Count(AppState app)
    {
        app.Traffic.Begin();
        IsCounted = true;
    }

    public void Try(AppState app, ReplicaEndpoint endpoint, long timestamp)
    {
        (App, Endpoint) = (app, endpoint);
        (TryStarted, AnsweredAt) = (timestamp, 0);
        Spans?.BeginTry(Http, app, endpoint);
    }

    public void Answer(long timestamp) => AnsweredAt = timestamp;

    public void End()
    {
        Spans?.End(Http);
        Http.Uninitialize();
    }
}
