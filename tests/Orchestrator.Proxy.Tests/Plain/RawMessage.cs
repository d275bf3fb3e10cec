using System.Globalization;
using System.Text;

namespace Orchestrator.Proxy.Tests.Plain;

/// <summary>
/// A request or an answer as it was on the wire, in a form that can be compared: fields in the order of their names and each in one line, without those that
/// are about the connection or tell of a proxy; the body as it was before it was cut into chunks.
/// </summary>
internal sealed record RawMessage(string FirstLine, IReadOnlyDictionary<string, string> Fields, string Body, bool IsWhole)
{
    private static readonly HashSet<string> OfProxies = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Date", "Server", "X-Request-Id", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Via", "PROXY",
    };

    public enum Kind
    {
        Request,
        Answer,
        AnswerToHead,
    }

    private bool IsAnswer => FirstLine.StartsWith("HTTP/", StringComparison.Ordinal);

    /// <summary>Of an answer; 0 of one that has none, as before HTTP/1.0.</summary>
    public int Status => IsAnswer ? int.Parse(FirstLine.Split(' ')[1], CultureInfo.InvariantCulture) : 0;

    /// <returns>Null: the connection ended before anything came.</returns>
    public static async Task<RawMessage?> ReadAsync(Stream stream, Kind kind, CancellationToken cancellationToken)
    {
        var head = await ReadHeadAsync(stream, cancellationToken);
        if (head.StartsWith("PROXY ", StringComparison.Ordinal))
        {
            head = head[(head.IndexOf('\n', StringComparison.Ordinal) + 1)..];
        }

        if (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            return head.Length == 0 ? null : new(head, new Dictionary<string, string>(), "", IsWhole: false);
        }

        var lines = head[..^4].Split("\r\n");
        var fields = new SortedDictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines[1..])
        {
            var (name, value) = (line.Split(':')[0], line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());
            fields[name] = fields.TryGetValue(name, out var before) ? $"{before}, {value}" : value;
        }

        var status = kind == Kind.Request ? 0 : int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture);
        if (status is >= 100 and < 200)
        {
            return await ReadAsync(stream, kind, cancellationToken);
        }

        var hasBody = kind != Kind.AnswerToHead && status is not (204 or 304);
        var (body, isWhole) = !hasBody ? ("", true)
            : fields.ContainsKey("Transfer-Encoding") ? await ReadChunksAsync(stream, cancellationToken)
            : fields.TryGetValue("Content-Length", out var length) ? await ReadAsync(stream, int.Parse(length, CultureInfo.InvariantCulture), cancellationToken)
            : kind == Kind.Request ? ("", true)
            : ((await ReadAsync(stream, int.MaxValue, cancellationToken)).Text, true);
        return new(lines[0], fields, body, isWhole);
    }

    public override string ToString() => string.Join(
        '\n',
        [
            IsAnswer ? $"{Status}" : FirstLine,
            .. Fields.Where(field => !OfProxies.Contains(field.Key) && !(IsAnswer && field.Key.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))).Select(field => $"{field.Key.ToLowerInvariant()}: {field.Value}"),
            Body.Length > 100 ? $"{Body.Length} bytes" : Body,
            .. IsWhole ? Array.Empty<string>() : ["(broken off)"],
        ]);

    private static async Task<string> ReadHeadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var (head, one) = (new StringBuilder(), new byte[1]);
        while (!(head.Length >= 4 && head.ToString(head.Length - 4, 4) == "\r\n\r\n") && await ReadByteAsync(stream, one, cancellationToken))
        {
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    private static async Task<(string, bool)> ReadChunksAsync(Stream stream, CancellationToken cancellationToken)
    {
        var (body, one) = (new StringBuilder(), new byte[1]);
        while (true)
        {
            var line = new StringBuilder();
            while (await ReadByteAsync(stream, one, cancellationToken) && one[0] != '\n')
            {
                line.Append((char)one[0]);
            }

            if (!int.TryParse(line.ToString().Split(';')[0].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var size))
            {
                return (body.ToString(), false);
            }

            var (chunk, isWhole) = await ReadAsync(stream, size, cancellationToken);
            body.Append(chunk);

            // Also the line after the last chunk, if there are no trailers: nobody here sends any on.
            if (!isWhole || (await ReadAsync(stream, 2, cancellationToken)).Text != "\r\n" || size == 0)
            {
                return (body.ToString(), isWhole && size == 0);
            }
        }
    }

    private static async Task<(string Text, bool IsWhole)> ReadAsync(Stream stream, int length, CancellationToken cancellationToken)
    {
        var (body, buffer) = (new StringBuilder(), new byte[Math.Min(length, 64 * 1024)]);
        try
        {
            while (body.Length < length && await stream.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, length - body.Length)), cancellationToken) is > 0 and var read)
            {
                body.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            // Broken off.
        }

        return (body.ToString(), body.Length == length);
    }

    private static async Task<bool> ReadByteAsync(Stream stream, byte[] one, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAsync(one, cancellationToken) == 1;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
