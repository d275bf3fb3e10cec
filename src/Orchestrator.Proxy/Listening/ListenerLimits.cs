using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Orchestrator.Proxy.Listening;

/// <summary>What a listener takes of its clients, before and after all that is known of apps.</summary>
internal sealed class ListenerLimits(ProxyOptions options)
{
    public void Apply(KestrelServerLimits limits)
    {
        // Bodies stream through, so their size is the app's affair, and their pace is seen to request by request (BodyPace).
        limits.MaxRequestBodySize = null;
        limits.MinRequestBodyDataRate = null;

        // What a client does not take is waited for by the forwarder, for as long as a request may be silent; and here, once all
        // of the answer is in the server's buffer: a full one may stay as long as that.
        limits.MinResponseDataRate = new MinDataRate(limits.MaxResponseBufferSize!.Value / options.IdleTimeout.TotalSeconds, gracePeriod: TimeSpan.FromSeconds(60));

        // Two cookies of full size beside the usual headers; Kestrel's default of 32 KiB is just short of it.
        limits.MaxRequestHeadersTotalSize = 64 * 1024;
        limits.MaxRequestHeaderCount = 200;
        limits.MaxRequestLineSize = 16 * 1024;

        // Longer than the 60 s to 75 s of load balancers and CDNs in front, so that it is they who close.
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(130);

        // Many requests on one connection are no reason to answer a browser's hundred and first later.
        limits.Http2.MaxStreamsPerConnection = 250;
        limits.RequestHeadersTimeout = options.HeadersTimeout;
    }
}
