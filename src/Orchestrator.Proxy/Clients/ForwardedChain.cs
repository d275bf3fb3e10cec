using System.Net;
using System.Text;

namespace Orchestrator.Proxy.Clients;

/// <summary>The way a request has come, as trusted proxies tell it: the client first, the proxy that connected to us last.</summary>
/// <param name="Addresses">Never empty.</param>
/// <param name="Host">What the client asked for; null: what we were asked for.</param>
internal sealed record ForwardedChain(IReadOnlyList<IPAddress> Addresses, string? Host)
{
    public string ForwardedFor => string.Join(", ", Addresses.Select(TextOf));

    public static string TextOf(IPAddress address) => address.Unmapped().ToString();

    /// <summary>As the value of Forwarded (RFC 7239); what the client said of scheme and host is in the first element.</summary>
    public static string Forwarded(IReadOnlyList<IPAddress> addresses, string proto, string? host)
    {
        var text = new StringBuilder();
        foreach (var address in addresses)
        {
            var first = text.Length == 0;
            text.Append(first ? "for=" : ", for=");
            var name = TextOf(address);
            _ = name.Contains(':', StringComparison.Ordinal) ? text.Append("\"[").Append(name).Append("]\"") : text.Append(name);
            if (first)
            {
                text.Append(";proto=").Append(proto);
                _ = string.IsNullOrEmpty(host) ? text : text.Append(";host=\"").Append(host).Append('"');
            }
        }

        return text.ToString();
    }
}
