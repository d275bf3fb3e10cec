using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;

namespace Orchestrator.Proxy.Policies;

/// <summary>By what a request is told from others for <see cref="BalancingPolicies.ConsistentHash"/>.</summary>
internal sealed class RequestKey(ConsistentHash? by)
{
    /// <returns>The same for the same value, in every proxy; of a request without it, that of the client's address.</returns>
    public ulong Of(HttpContext context)
    {
        var value = by?.Header is { } header ? context.Request.Headers[header].ToString()
            : by?.Cookie is { } cookie ? context.Request.Cookies[cookie]
            : null;
        return string.IsNullOrEmpty(value)
            ? Of(context.Connection.RemoteIpAddress)
            : StableHash.Of(MemoryMarshal.AsBytes(value.AsSpan()));
    }

    /// <returns>That of a client, whatever it asks for.</returns>
    public static ulong Of(IPAddress? client) => StableHash.Of(ClientKey.Of(client));
}
