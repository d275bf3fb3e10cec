using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Cli.Logging;

/// <summary>What a log line looks like.</summary>
internal interface ILineFormat
{
    /// <returns>With its end of line.</returns>
    string Write(
        DateTimeOffset at, LogLevel level, string category, string message, IReadOnlyList<KeyValuePair<string, object?>> fields, Exception? exception);
}

/// <summary>For people: <c>2026-01-02T03:04:05.678Z WARN  Scheduler: message</c>; the exception, if any, in short.</summary>
internal sealed class TextLineFormat : ILineFormat
{
    public string Write(
        DateTimeOffset at, LogLevel level, string category, string message, IReadOnlyList<KeyValuePair<string, object?>> fields, Exception? exception)
    {
        var line = new StringBuilder()
            .Append(at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture))
            .Append(' ').Append(LogLevels.Name(level).ToUpperInvariant().PadRight(5))
            .Append(' ').Append(category).Append(": ").Append(message.ReplaceLineEndings(" "));
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            line.Append(": ").Append(inner.GetType().Name).Append(": ").Append(inner.Message.ReplaceLineEndings(" "));
        }

        line.Append('\n');

        // Where it was thrown matters for what nobody foresaw, and that is what is logged as an error.
        return level >= LogLevel.Error && exception?.StackTrace is { } trace
            ? line.Append(trace.ReplaceLineEndings("\n")).Append('\n').ToString()
            : line.ToString();
    }
}

/// <summary>For machines: one JSON object a line, the message's fields beside it.</summary>
internal sealed class JsonLineFormat : ILineFormat
{
    private const string Template = "{OriginalFormat}";

    public string Write(
        DateTimeOffset at, LogLevel level, string category, string message, IReadOnlyList<KeyValuePair<string, object?>> fields, Exception? exception)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", at);
            json.WriteString("level", LogLevels.Name(level));
            json.WriteString("category", category);
            json.WriteString("message", message);
            foreach (var (key, value) in fields)
            {
                if (key != Template)
                {
                    Field(json, JsonNamingPolicy.CamelCase.ConvertName(key), value);
                }
            }

            if (exception is not null)
            {
                json.WriteString("exception", exception.ToString());
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static void Field(Utf8JsonWriter json, string key, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNull(key);
                break;
            case bool flag:
                json.WriteBoolean(key, flag);
                break;
            case int or long or short or byte:
                json.WriteNumber(key, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case double number when double.IsFinite(number):
                json.WriteNumber(key, number);
                break;
            default:
                json.WriteString(key, Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}

/// <summary>Names of levels, on the command line and in the log.</summary>
internal static class LogLevels
{
    public static readonly string[] All = ["debug", "info", "warn", "error"];

    public static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        _ => "error",
    };

    public static LogLevel Parse(string name) => name switch
    {
        "debug" => LogLevel.Debug,
        "warn" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => LogLevel.Information,
    };
}
