using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// Takes away the fields that the <c>Connection</c> field names: they are for the next hop, which is us (RFC 9110, 7.6.1). Costs
/// no allocation where none is named.
/// </summary>
internal static class ConnectionOptions
{
    /// <summary>
    /// The first four are options and no fields, or fields that the forwarder deals with itself. The others say where a message
    /// goes and where it ends: they are no matter of one hop, whoever names them.
    /// </summary>
    private static readonly string[] NotTakenAway =
        ["close", "keep-alive", HeaderNames.Upgrade, HeaderNames.TE, HeaderNames.Host, HeaderNames.ContentLength, HeaderNames.TransferEncoding];

    /// <param name="connection">A value of the <c>Connection</c> field.</param>
    /// <param name="headers">What the fields that it names are taken from.</param>
    public static void RemoveNamed(string connection, IHeaderDictionary headers)
    {
        foreach (var range in connection.AsSpan().Split(','))
        {
            var name = connection.AsSpan(range).Trim();
            if (name.Length > 0 && !IsKept(name))
            {
                headers.Remove(name.ToString());
            }
        }
    }

    /// <inheritdoc cref="RemoveNamed(string, IHeaderDictionary)"/>
    public static void RemoveNamed(StringValues connection, IHeaderDictionary headers)
    {
        foreach (var value in connection)
        {
            if (value is not null)
            {
                RemoveNamed(value, headers);
            }
        }
    }

    private static bool IsKept(ReadOnlySpan<char> name)
    {
        foreach (var kept in NotTakenAway)
        {
            if (name.Equals(kept, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
