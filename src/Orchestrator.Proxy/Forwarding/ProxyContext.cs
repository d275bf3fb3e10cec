using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>What belongs to one request. Kestrel keeps it with the connection, so that a request on an open one allocates none.</summary>
internal sealed class ProxyContext
{
    public DefaultHttpContext Http { get; } = new();

    /// <summary>A timestamp of the TimeProvider.</summary>
    public long Started { get; private set; }

    public void Begin(IFeatureCollection features, long started)
    {
        Http.Initialize(features);
        Started = started;
    }

    public void End() => Http.Uninitialize();
}
