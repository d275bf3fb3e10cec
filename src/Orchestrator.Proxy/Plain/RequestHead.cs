using System.Buffers;
using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Orchestrator.Proxy.Clients;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tls;

namespace Orchestrator.Proxy.Plain;

/// <summary>
/// Writes a request's head for its replica: target, Host and fields as the client sent them, but for what was meant for its connection
/// or is ours to say; then who it was, and what the route changes. The same as <see cref="ForwardingTransformer"/> has the client
/// library write.
/// </summary>
internal sealed class RequestHead(ProxyOptions options)
{
    /// <summary>Letters of a field's name (RFC 9110, 5.6.2). The server lets some through that are none.</summary>
    private static readonly SearchValues<char> TokenLetters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> NotInValues = SearchValues.Create("\r\n\0");

    /// <summary>Of one hop, of the framing, or claims: each is written anew or not at all.</summary>
    private static readonly FrozenSet<string> NotPassedOn = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, [.. HopFields.All, .. ForwardingTransformer.Claimed, HeaderNames.Host, HeaderNames.ContentLength]);

    private readonly bool _trusts = options.TrustedProxies.Count > 0;

    public void Write(HeadBuffer head, HttpContext context, ReplicaEndpoint endpoint, RequestEdits? edits)
    {
        var request = context.Request;
        var fields = request.Headers;

        // Beside keep-alive, close or Upgrade Kestrel has forgotten what else was named: then the fields go on, as harmless as ever.
        ConnectionOptions.RemoveNamed(fields.Connection, fields);

        head.Write(request.Method);
        head.Write(" "u8);
        WriteTarget(head, context, edits);
        head.Write(" HTTP/1.1\r\nHost: "u8);
        head.Write(edits?.Host ?? (fields.Host is [{ } host] ? host : endpoint.Authority));
        head.Write("\r\n"u8);
        var edited = edits?.Request is { } changes ? new FieldEdits(changes) : null;
        foreach (var (name, values) in fields)
        {
            if (!NotPassedOn.Contains(name) && !name.AsSpan().ContainsAnyExcept(TokenLetters))
            {
                WriteField(head, edited, name, values);
            }
        }

        WriteFraming(head, request);
        WriteClient(head, context, edited);
        foreach (var (name, values) in edited?.Rest ?? [])
        {
            WriteField(head, edits: null, name, values);
        }

        head.Write("\r\n"u8);
    }

    private static void WriteTarget(HeadBuffer head, HttpContext context, RequestEdits? edits)
    {
        // As it came, byte for byte: signatures are made over it, and apps tell %2F from a slash.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (edits?.PathOf(context.Request) is { } path)
        {
            head.Write(path);
            head.Write(context.Request.QueryString.Value);
        }
        else if (target is ['/', ..] or "*")
        {
            head.Write(target);
        }
        else
        {
            // With scheme and authority, as for a proxy: the rest of it is what servers are asked for (RFC 9112, 3.2).
            var rest = target.AsSpan(target.IndexOf("://", StringComparison.Ordinal) + 3);
            rest = rest[(rest.IndexOfAny('/', '?') is >= 0 and var start ? start : rest.Length)..];
            head.Write(rest is ['/', ..] ? ""u8 : "/"u8);
            head.Write(rest);
        }
    }

    /// <summary>One line, however many values it has, as the client library has it.</summary>
    private static void WriteField(HeadBuffer head, FieldEdits? edits, string name, StringValues values)
    {
        if (edits is not null && !edits.Change(name, ref values))
        {
            return;
        }

        // HTTP/2 may send a Cookie in several, and HTTP/1.1 has another separator for it (RFC 9113, 8.2.3).
        var separator = values.Count > 1 && name.Equals(HeaderNames.Cookie, StringComparison.OrdinalIgnoreCase) ? "; "u8 : ", "u8;
        var isFirst = true;
        foreach (var value in values)
        {
            if (value is null || value.AsSpan().ContainsAny(NotInValues))
            {
                continue;
            }

            if (isFirst)
            {
                head.Write(name);
                head.Write(": "u8);
            }
            else
            {
                head.Write(separator);
            }

            head.Write(value);
            isFirst = false;
        }

        if (!isFirst)
        {
            head.Write("\r\n"u8);
        }
    }

    private static void WriteFraming(HeadBuffer head, HttpRequest request)
    {
        if (request.ContentLength == 0 || !ReplicaConnections.IsRepeatable(request.Method) || HttpMethods.IsPut(request.Method))
        {
            // Methods that mean a body have a length even if there is none (RFC 9110, 8.6).
            head.Write("Content-Length: 0\r\n"u8);
        }

        if (HttpProtocol.IsHttp2(request.Protocol) && request.Headers.TE is [{ } te] && te.Equals("trailers", StringComparison.OrdinalIgnoreCase))
        {
            head.Write("TE: trailers\r\n"u8);
        }
    }

    private void WriteClient(HeadBuffer head, HttpContext context, FieldEdits? edits)
    {
        var request = context.Request;
        var chain = _trusts ? context.Features.Get<ForwardedChain>() : null;
        var host = chain?.Host ?? request.Host.Value;
        if (context.Connection.RemoteIpAddress is { } remote)
        {
            WriteField(head, edits, ForwardingTransformer.ForwardedFor, chain?.ForwardedFor ?? ForwardedChain.TextOf(remote));
            if (options.Forwarded)
            {
                WriteField(head, edits, "Forwarded", ForwardedChain.Forwarded(chain?.Addresses ?? [remote], request.Scheme, host));
            }
        }

        WriteField(head, edits, ForwardingTransformer.ForwardedProto, request.Scheme);
        if (!string.IsNullOrEmpty(host))
        {
            WriteField(head, edits, ForwardingTransformer.ForwardedHost, host);
        }

        if (request.IsHttps && context.Features.Get<VerifiedClient>() is { } client)
        {
            WriteField(head, edits, ForwardingTransformer.ClientCertificate, client.Field);
        }
    }
}
