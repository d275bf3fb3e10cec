using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>How one try of a request has ended, in the words of YARP's forwarder, whichever way it went.</summary>
/// <param name="Failure">Null if there was no error.</param>
internal readonly record struct TryResult(ForwarderError Error, Exception? Failure)
{
    /// <summary>A connection that was kept broke before anything of an answer: its server may have closed it before it saw the request.</summary>
    public bool IsStale { get; init; }
}
