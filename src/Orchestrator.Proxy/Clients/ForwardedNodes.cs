using System.Buffers;
using System.Net;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Orchestrator.Proxy.Clients;

/// <summary>One hop as X-Forwarded-For or Forwarded tells it. What is no address (unknown, _hidden) has none.</summary>
internal readonly record struct ForwardedNode(IPAddress? For, string? Proto = null, string? Host = null);

/// <summary>Reads the headers by which proxies tell of the clients they had, from the first hop to the last.</summary>
internal static class ForwardedNodes
{
    private static readonly SearchValues<char> DigitsAndDots = SearchValues.Create("0123456789.");

    /// <summary>X-Forwarded-For: addresses, with ports or without.</summary>
    public static List<ForwardedNode> OfAddresses(StringValues values)
    {
        var nodes = new List<ForwardedNode>();
        foreach (var value in values)
        {
            foreach (var range in value.AsSpan().Split(','))
            {
                nodes.Add(new(AddressOf(value.AsSpan(range).Trim())));
            }
        }

        return nodes;
    }

    /// <summary>Forwarded (RFC 7239, 4). None when it is malformed: what cannot be read is nobody's word.</summary>
    public static List<ForwardedNode> OfForwarded(StringValues values)
    {
        var nodes = new List<ForwardedNode>();
        foreach (var value in values)
        {
            if (!TryReadElements(value ?? "", nodes))
            {
                return [];
            }
        }

        return nodes;
    }

    /// <summary>192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1] or [2001:db8::1]:80. Names and short forms of old are none.</summary>
    public static IPAddress? AddressOf(ReadOnlySpan<char> node)
    {
        // "1" and "0x7f.1" are addresses to the parser, and to nobody else.
        var name = node is ['[', ..] || node.Count(':') != 1 ? node : node[..node.IndexOf(':')];
        var isShort = !name.Contains(':') && (name.Count('.') != 3 || name.ContainsAnyExcept(DigitsAndDots));
        return !isShort && IPEndPoint.TryParse(node, out var endpoint) ? endpoint.Address : null;
    }

    private static bool TryReadElements(string text, List<ForwardedNode> nodes)
    {
        var node = default(ForwardedNode);
        for (var at = 0; ;)
        {
            at = SkipSpace(text, at);
            var equals = text.IndexOf('=', at);
            if (equals < 0 || ReadValue(text, equals + 1) is not { } read)
            {
                return false;
            }

            node = text[at..equals].ToLowerInvariant() switch
            {
                "for" => node with { For = AddressOf(read.Value) },
                "proto" => node with { Proto = read.Value },
                "host" => node with { Host = read.Value },
                _ => node,
            };
            at = SkipSpace(text, read.End);
            if (at == text.Length || text[at] == ',')
            {
                nodes.Add(node);
                node = default;
            }

            if (at == text.Length)
            {
                return true;
            }

            if (text[at++] is not (';' or ','))
            {
                return false;
            }
        }
    }

    /// <summary>A token, or a quoted string without its quotes (RFC 9110, 5.6.4).</summary>
    private static (string Value, int End)? ReadValue(string text, int start)
    {
        if (start == text.Length || text[start] != '"')
        {
            var length = text.AsSpan(start).IndexOfAny(";, \t");
            var end = length < 0 ? text.Length : start + length;
            return (text[start..end], end);
        }

        var value = new StringBuilder();
        for (var i = start + 1; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"':
                    return (value.ToString(), i + 1);
                case '\\' when i + 1 < text.Length:
                    value.Append(text[++i]);
                    break;
                default:
                    value.Append(text[i]);
                    break;
            }
        }

        return null;
    }

    private static int SkipSpace(string text, int at)
    {
        while (at < text.Length && text[at] is ' ' or '\t')
        {
            at++;
        }

        return at;
    }
}
