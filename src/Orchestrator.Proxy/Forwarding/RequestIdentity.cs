using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Clients;
using Orchestrator.Proxy.Tracing;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>Makes known whose a request is and what it is called, before anything else is done with it.</summary>
internal sealed class RequestIdentity(ProxyOptions options, SharedRandom random)
{
    private readonly ClientIdentity _clients = new(new TrustedNetworks(options.TrustedProxies));
    private readonly RequestIds? _ids = options.RequestIds ? new(random) : null;

    // Spans begin their traces themselves.
    private readonly SharedRandom? _begins = options is { BeginTraces: true, OtlpEndpoint: null } ? random : null;

    public void Establish(HttpContext context)
    {
        var trusted = _clients.Resolve(context);
        _ids?.Give(context, trusted);
        TraceContext.Continue(context.Request.Headers, _begins);
    }
}
