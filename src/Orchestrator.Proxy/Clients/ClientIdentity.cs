using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Orchestrator.Proxy.Forwarding;

namespace Orchestrator.Proxy.Clients;

/// <summary>
/// Who the client of a request is. Whoever connected to us, unless that is a trusted proxy: then it is the rightmost address in its
/// X-Forwarded-For that is not one (or in its Forwarded, if it sends no other). What stands left of it the client may have made up,
/// and is dropped.
/// </summary>
internal sealed class ClientIdentity(TrustedNetworks trusted)
{
    /// <summary>
    /// Makes the connection's address and the request's scheme the client's, and leaves the way it came as a feature, a
    /// <see cref="ForwardedChain"/>.
    /// </summary>
    /// <returns>Whether the request came by a trusted proxy.</returns>
    public bool Resolve(HttpContext context)
    {
        if (trusted.IsEmpty || !trusted.Contains(context.Connection.RemoteIpAddress))
        {
            return false;
        }

        var headers = context.Request.Headers;
        var hasAddresses = headers.TryGetValue(ForwardingTransformer.ForwardedFor, out var addresses);
        var nodes = hasAddresses ? ForwardedNodes.OfAddresses(addresses) : ForwardedNodes.OfForwarded(headers["Forwarded"]);
        List<IPAddress> chain = [context.Connection.RemoteIpAddress!];
        while (chain.Count <= nodes.Count && trusted.Contains(chain[^1]) && nodes[^chain.Count].For is { } before)
        {
            chain.Add(before);
        }

        var hops = chain.Count - 1;
        chain.Reverse();
        var client = hops > 0 && !hasAddresses ? nodes[^hops] : default;
        var proto = client.Proto ?? At(headers[ForwardingTransformer.ForwardedProto], hops, nodes.Count);
        if (proto is not null && IsScheme(proto))
        {
            context.Request.Scheme = proto.ToLowerInvariant();
        }

        var host = client.Host ?? At(headers[ForwardingTransformer.ForwardedHost], hops, nodes.Count);
        context.Features.Set(new ForwardedChain(chain, host is not null && IsHost(host) ? host : null));
        if (hops > 0)
        {
            context.Connection.RemoteIpAddress = chain[0];
            context.Connection.RemotePort = 0;
        }

        return true;
    }

    /// <summary>Of a list with an entry a hop the client's; else the last, which the proxy that we trust has written.</summary>
    private static string? At(StringValues values, int hops, int nodes)
    {
        var entries = values.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return entries.Length == 0 ? null : entries.Length == nodes && hops > 0 ? entries[^hops] : entries[^1];
    }

    private static bool IsScheme(string text) =>
        text.Equals("http", StringComparison.OrdinalIgnoreCase) || text.Equals("https", StringComparison.OrdinalIgnoreCase);

    // It goes on in headers: no quotes, no separators.
    private static bool IsHost(string text) =>
        text.Length <= 260 && text.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' or ':' or '[' or ']');
}
