using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tcp;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>What the access log says of one request, or of one connection of a TCP route.</summary>
/// <param name="Bytes">Of the answer, or to the client.</param>
/// <param name="Replica">Null when none was asked.</param>
/// <param name="Connection">Null: a request.</param>
internal readonly record struct AccessLogLine(
    DateTimeOffset Time,
    string? Client,
    string Method,
    string? Host,
    string Target,
    string Protocol,
    int Status,
    long? Bytes,
    TimeSpan Took,
    string? App,
    EndpointId? Replica,
    string? Referer,
    string? UserAgent,
    string? RequestId,
    string? TraceId,
    ConnectionLine? Connection = null)
{
    /// <summary>One JSON object.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("time", Time);
        json.WriteString("client", Client);
        if (Connection is { } connection)
        {
            json.WriteString("protocol", Protocol);
            json.WriteNumber("port", connection.Port);
            json.WriteString("end", connection.End.ToString());
            json.WriteNumber("bytesIn", connection.BytesIn);
        }
        else
        {
            json.WriteString("method", Method);
            json.WriteString("host", Host);
            json.WriteString("target", Target);
            json.WriteString("protocol", Protocol);
        }

        json.WriteNumber("status", Status);
        if (Bytes is { } bytes)
        {
            json.WriteNumber("bytes", bytes);
        }

        json.WriteNumber("seconds", Math.Round(Took.TotalSeconds, 6));
        if (App is not null)
        {
            json.WriteString("app", App);
        }

        if (Replica is { } replica)
        {
            json.WriteString("replica", replica.Uid);
            json.WriteString("endpoint", $"{replica.Address}:{replica.Port}");
        }

        WriteIfAny(json, "referer", Referer);
        WriteIfAny(json, "userAgent", UserAgent);
        WriteIfAny(json, "requestId", RequestId);
        WriteIfAny(json, "traceId", TraceId);
        json.WriteEndObject();
    }

    /// <summary>The combined format of Apache and nginx, which log analysers read. UTC.</summary>
    public void WriteCombinedTo(IBufferWriter<byte> output)
    {
        var text = new StringBuilder(256);
        text.Append(CultureInfo.InvariantCulture, $"{Client ?? "-"} - - [{Time.UtcDateTime:dd/MMM/yyyy:HH:mm:ss} +0000] \"");
        AppendEscaped(text, Method).Append(' ');
        AppendEscaped(text, Target).Append(' ').Append(Protocol);
        text.Append(CultureInfo.InvariantCulture, $"\" {Status} ");
        _ = Bytes is { } bytes ? text.Append(bytes) : text.Append('-');
        AppendEscaped(text.Append(" \""), string.IsNullOrEmpty(Referer) ? "-" : Referer);
        AppendEscaped(text.Append("\" \""), string.IsNullOrEmpty(UserAgent) ? "-" : UserAgent).Append('"');
        output.Write(Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>As nginx does, so that nobody ends a line or a field by what they send.</summary>
    private static StringBuilder AppendEscaped(StringBuilder text, string value)
    {
        foreach (var letter in value)
        {
            _ = letter is '"' or '\\' or < ' ' or '\x7f' ? text.Append(CultureInfo.InvariantCulture, $"\\x{(int)letter:X2}") : text.Append(letter);
        }

        return text;
    }

    private static void WriteIfAny(Utf8JsonWriter json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            json.WriteString(name, value);
        }
    }
}

/// <summary>What there is to say of a connection beside that.</summary>
/// <param name="BytesIn">From the client.</param>
internal sealed record ConnectionLine(int Port, long BytesIn, TcpEnd End)
{
    public const string Protocol = "TCP";
}
