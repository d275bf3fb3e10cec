using System.Buffers.Text;

namespace Orchestrator.Proxy.Plain;

/// <summary>What came next of a body.</summary>
/// <param name="Used">Bytes that are done with, those of the piece among them.</param>
/// <param name="Start">Where the piece begins.</param>
/// <param name="Length">0: there is none, more must come first or it has ended.</param>
/// <param name="IsTrailer">It is a line after the body (RFC 9112, 7.1.2).</param>
internal readonly record struct BodyPiece(int Used, int Start, int Length, bool IsTrailer = false);

/// <summary>
/// Takes a body in chunks apart (RFC 9112, 7.1), as it comes. Lines end in CRLF here, without exception; extensions are dropped.
/// </summary>
internal struct ChunkReader
{
    /// <summary>Bytes of a line that says how long a chunk is, or of a trailer.</summary>
    private const int LongestLine = 8 * 1024;

    private State _state;
    private long _left;
    private int _trailerBytes;

    private enum State
    {
        Size,
        Data,
        DataEnd,
        Trailers,
        Ended,
    }

    public readonly bool IsEnded => _state == State.Ended;

    /// <summary>Reads on until there is something of the body, or a trailer, or the end, or nothing more to read.</summary>
    /// <param name="bytes">What has come.</param>
    /// <exception cref="InvalidAnswerException">These are no chunks.</exception>
    public BodyPiece Read(ReadOnlySpan<byte> bytes)
    {
        var used = 0;
        while (_state != State.Ended)
        {
            var rest = bytes[used..];
            if (_state == State.Data)
            {
                var length = (int)Math.Min(rest.Length, _left);
                _left -= length;
                _state = _left == 0 ? State.DataEnd : State.Data;
                return new(used + length, used, length);
            }

            if (!TryReadLine(rest, out var line))
            {
                break;
            }

            var start = used;
            used += line.Length + 2;
            switch (_state)
            {
                case State.Size:
                    _left = ReadSize(line);
                    _state = _left > 0 ? State.Data : State.Trailers;
                    break;
                case State.DataEnd:
                    _state = line.IsEmpty ? State.Size : throw new InvalidAnswerException("a chunk is longer than it says");
                    break;
                case State.Trailers when line.IsEmpty:
                    _state = State.Ended;
                    break;
                case State.Trailers:
                    _trailerBytes += line.Length;
                    return _trailerBytes <= AnswerHead.Longest
                        ? new(used, start, line.Length, IsTrailer: true)
                        : throw new InvalidAnswerException("it has too many trailers");
                case State.Data:
                case State.Ended:
                default:
                    break;
            }
        }

        return new(used, 0, 0);
    }

    private readonly bool TryReadLine(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> line)
    {
        var end = bytes.IndexOf((byte)'\n');
        if (end > 0 && bytes[end - 1] == '\r')
        {
            line = bytes[..(end - 1)];
            return !line.Contains((byte)'\r') ? true : throw new InvalidAnswerException("a line between its chunks has a CR in it");
        }

        line = default;
        return end < 0 && bytes.Length <= (_state == State.DataEnd ? 1 : LongestLine)
            ? false
            : throw new InvalidAnswerException("a line between its chunks does not end in CRLF, or not soon enough");
    }

    private static long ReadSize(ReadOnlySpan<byte> line)
    {
        // What follows the size is a blank, as old servers pad it, or an extension.
        var size = line.IndexOfAny((byte)';', (byte)' ', (byte)'\t') is >= 0 and var end ? line[..end] : line;
        return size.Length is > 0 and <= 15 && Utf8Parser.TryParse(size, out long length, out var read, 'X') && read == size.Length && length >= 0
            ? length
            : throw new InvalidAnswerException("a chunk's size is no number");
    }
}
