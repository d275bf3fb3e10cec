using System.Buffers;
using System.Globalization;
using System.Text;

namespace Orchestrator.HostAgent.Logs;

/// <summary>Puts lines together from the pieces that a log stream comes in, for one of its two outputs.</summary>
internal sealed class LineSplitter(bool isError)
{
    /// <summary>Bytes. A line without an end is given out in parts of this size rather than kept for ever.</summary>
    public const int MaxLine = 1024 * 1024;

    private readonly ArrayBufferWriter<byte> _line = new();

    public IEnumerable<LogLine> Add(ReadOnlyMemory<byte> piece)
    {
        while (piece.Span.IndexOf((byte)'\n') is >= 0 and var end)
        {
            _line.Write(piece.Span[..end]);
            yield return Take();
            piece = piece[(end + 1)..];
        }

        _line.Write(piece.Span);
        if (_line.WrittenCount > MaxLine)
        {
            yield return Take();
        }
    }

    /// <returns>A last line without an end; null when there is none.</returns>
    public LogLine? Rest() => _line.WrittenCount > 0 ? Take() : null;

    private LogLine Take()
    {
        var text = Encoding.UTF8.GetString(_line.WrittenSpan).TrimEnd('\r');
        _line.ResetWrittenCount();

        // The engine puts RFC 3339 with nanoseconds and a space before each line.
        return text.IndexOf(' ', StringComparison.Ordinal) is > 0 and var space && ParseTime(text[..space]) is { } time
            ? new LogLine(time, isError, text[(space + 1)..])
            : new LogLine(null, isError, text);
    }

    // .NET keeps 100 ns and refuses more than seven digits.
    private static DateTimeOffset? ParseTime(string stamp)
    {
        var dot = stamp.IndexOf('.', StringComparison.Ordinal);
        var zone = stamp.LastIndexOfAny(['Z', '+', '-']);
        var shortened = dot > 0 && zone > dot + 8 ? stamp[..(dot + 8)] + stamp[zone..] : stamp;
        return DateTimeOffset.TryParse(shortened, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }
}
