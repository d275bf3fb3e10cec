using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Orchestrator.Proxy.Forwarding;

namespace Orchestrator.Proxy.Plain;

/// <summary>How an answer's body ends (RFC 9112, 6.3).</summary>
internal enum BodyEnd
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>After so many bytes.</summary>
    Length,

    Chunked,

    /// <summary>With the connection.</summary>
    Close,
}

/// <summary>
/// Reads the head of a replica's answer onto the server's response. Strictly: what can be read in two ways is no answer, since by it one user could be given
/// another's (RFC 9112, 11.1). Lines may end in a bare LF, as RFC 9112, 2.2 allows and old scripts do.
/// </summary>
/// <param name="Status">Below 200 nothing of it is on the response, and another head follows.</param>
/// <param name="Length">With <see cref="BodyEnd.Length"/>.</param>
/// <param name="KeepsConnection">The connection may serve another request.</param>
internal readonly record struct AnswerHead(int Status, BodyEnd Body, long Length, bool KeepsConnection)
{
    /// <summary>Bytes that a head may have, as the client library has it.</summary>
    public const int Longest = 64 * 1024;

    private const int StatusLineLength = 12;

    private static readonly SearchValues<byte> TokenLetters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <param name="searched">Bytes that an earlier look has found no end in.</param>
    /// <returns>The head's length with the empty line, or 0 if that is not there yet.</returns>
    public static int EndIn(ReadOnlySpan<byte> bytes, int searched)
    {
        // An end may have begun before.
        for (var at = Math.Max(0, searched - 3); bytes[at..].IndexOf((byte)'\n') is >= 0 and var line;)
        {
            at += line + 1;
            if (bytes[at..] is [(byte)'\n', ..])
            {
                return at + 1;
            }

            if (bytes[at..] is [(byte)'\r', (byte)'\n', ..])
            {
                return at + 2;
            }
        }

        return 0;
    }

    /// <param name="head">Whole, with the empty line.</param>
    /// <param name="keepsId">The response's X-Request-Id is ours, whatever the replica says.</param>
    /// <exception cref="InvalidAnswerException">It is none, or may be two.</exception>
    public static AnswerHead Read(ReadOnlySpan<byte> head, HttpContext context, FieldTexts texts, bool keepsId)
    {
        var response = context.Response;
        var line = NextLine(ref head);
        var (minor, status) = ReadStatusLine(line);
        if (status < 200)
        {
            return status == StatusCodes.Status101SwitchingProtocols
                ? throw new InvalidAnswerException("it switches protocols unasked")
                : new(status, BodyEnd.None, 0, true);
        }

        response.StatusCode = status;
        SetReason(context, line[StatusLineLength..].TrimStart((byte)' '), status);
        var (length, isChunked, keeps, named) = ((long?)null, false, minor > 0, (string?)null);
        var headers = response.Headers;
        while (NextLine(ref head) is { Length: > 0 } field)
        {
            var name = NameOf(field);
            var value = ValueOf(field);
            var (use, index) = FieldTexts.Find(name);
            switch (use)
            {
                case FieldUse.Length:
                    length = ReadLength(value, length);
                    break;
                case FieldUse.Encoding:
                    isChunked = !isChunked && Ascii.EqualsIgnoreCase(value, "chunked")
                        ? true
                        : throw new InvalidAnswerException("its Transfer-Encoding is not chunked alone");
                    break;
                case FieldUse.Connection when Ascii.EqualsIgnoreCase(value, "keep-alive"):
                    keeps = true;
                    break;
                case FieldUse.Connection:
                    named = $"{named},{Encoding.Latin1.GetString(value)}";
                    break;
                case FieldUse.PassOn:
                case FieldUse.RequestId when !keepsId:
                    Append(headers, FieldTexts.NameOf(name, index), texts.ValueOf(value, index));
                    break;
                case FieldUse.RequestId:
                case FieldUse.Drop:
                default:
                    break;
            }
        }

        if (isChunked && length is not null)
        {
            throw new InvalidAnswerException("it has both Content-Length and Transfer-Encoding");
        }

        headers.ContentLength = length;
        if (named is not null)
        {
            ConnectionOptions.RemoveNamed(named, headers);
            keeps = (keeps || Names(named, "keep-alive")) && !Names(named, "close");
        }

        return HttpMethods.IsHead(context.Request.Method) || status is StatusCodes.Status204NoContent or StatusCodes.Status304NotModified
                ? new(status, BodyEnd.None, 0, keeps)

            // HTTP/1.0 has no chunks: whoever sends them there cannot be trusted with the next answer (RFC 9112, 6.1).
            : isChunked ? new(status, BodyEnd.Chunked, 0, keeps && minor > 0)
            : length is { } bytes ? new(status, BodyEnd.Length, bytes, keeps)
            : new(status, BodyEnd.Close, 0, false);
    }

    /// <exception cref="InvalidAnswerException">What has come, no whole head, will never be one.</exception>
    public static void ThrowIfNone(ReadOnlySpan<byte> begun)
    {
        var start = "HTTP/1."u8;
        if (begun.Length > Longest || !begun.StartsWith(start[..Math.Min(begun.Length, start.Length)]))
        {
            throw new InvalidAnswerException("it begins with no status line of HTTP/1.x, or its head is too long");
        }
    }

    /// <summary>A line that came after the body. Goes on where the client's protocol has a place for it.</summary>
    /// <exception cref="InvalidAnswerException">It is no field.</exception>
    public static void AddTrailer(HttpContext context, ReadOnlySpan<byte> line)
    {
        var name = NameOf(line);
        var value = ValueOf(line);
        var (use, index) = FieldTexts.Find(name);
        if (use == FieldUse.PassOn && context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers is { IsReadOnly: false } trailers)
        {
            trailers.Append(FieldTexts.NameOf(name, index), Encoding.Latin1.GetString(value));
        }
    }

    private static (int Minor, int Status) ReadStatusLine(ReadOnlySpan<byte> line) =>
        line.Length >= StatusLineLength && line.StartsWith("HTTP/1."u8) && line[7] is >= (byte)'0' and <= (byte)'9' && line[8] == ' '
        && line[9] is >= (byte)'1' and <= (byte)'9' && Utf8Parser.TryParse(line[9..StatusLineLength], out int status, out var read) && read == 3
        && (line.Length == StatusLineLength || line[StatusLineLength] == ' ')
            ? (line[7] - '0', status)
            : throw new InvalidAnswerException("it begins with no status line of HTTP/1.x");

    /// <summary>Told only where it is not the usual one, which the server has ready.</summary>
    private static void SetReason(HttpContext context, ReadOnlySpan<byte> reason, int status)
    {
        if (!Ascii.Equals(reason, ReasonPhrases.GetReasonPhrase(status)) && context.Features.Get<IHttpResponseFeature>() is { } feature)
        {
            feature.ReasonPhrase = Encoding.Latin1.GetString(reason);
        }
    }

    /// <summary>Empty values as well, which the framework's own would leave out.</summary>
    private static void Append(IHeaderDictionary headers, string name, string value)
    {
        var before = headers[name];
        headers[name] = before.Count == 0 ? value : StringValues.Concat(before, value);
    }

    private static ReadOnlySpan<byte> NextLine(ref ReadOnlySpan<byte> head)
    {
        var end = head.IndexOf((byte)'\n');
        var line = head[..end];
        head = head[(end + 1)..];
        return line is [.., (byte)'\r'] ? line[..^1] : line;
    }

    private static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> field)
    {
        var colon = field.IndexOf((byte)':');
        return colon > 0 && !field[..colon].ContainsAnyExcept(TokenLetters)
            ? field[..colon]
            : throw new InvalidAnswerException("a line of its head is no field, or continues another");
    }

    private static ReadOnlySpan<byte> ValueOf(ReadOnlySpan<byte> field)
    {
        var value = field[(field.IndexOf((byte)':') + 1)..].Trim(" \t"u8);
        return !value.ContainsAny((byte)'\r', (byte)'\0') ? value : throw new InvalidAnswerException("a field of its head has a CR or NUL in it");
    }

    private static long ReadLength(ReadOnlySpan<byte> value, long? before) =>
        value.Length > 0 && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9') && Utf8Parser.TryParse(value, out long length, out var read)
        && read == value.Length && (before is null || before == length)
            ? length
            : throw new InvalidAnswerException("its Content-Length is no number, or there are two");

    private static bool Names(string connection, string option)
    {
        foreach (var range in connection.AsSpan().Split(','))
        {
            if (connection.AsSpan(range).Trim().Equals(option, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
