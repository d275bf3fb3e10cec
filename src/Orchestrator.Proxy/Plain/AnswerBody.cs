namespace Orchestrator.Proxy.Plain;

/// <summary>Finds an answer's body, and its end, in what comes from a replica.</summary>
internal struct AnswerBody(BodyEnd end, long length)
{
    private readonly BodyEnd _end = end;
    private long _left = length;
    private ChunkReader _chunks;

    /// <summary>The end of the connection is its end, and no failure.</summary>
    public readonly bool MayEndWithConnection => _end == BodyEnd.Close;

    public readonly bool IsEnded => _end switch
    {
        BodyEnd.Length => _left == 0,
        BodyEnd.Chunked => _chunks.IsEnded,
        BodyEnd.Close => false,
        BodyEnd.None or _ => true,
    };

    /// <exception cref="InvalidAnswerException">It cannot be told.</exception>
    public BodyPiece Read(ReadOnlySpan<byte> bytes)
    {
        if (_end == BodyEnd.Chunked)
        {
            return _chunks.Read(bytes);
        }

        var length = _end == BodyEnd.Length ? (int)Math.Min(bytes.Length, _left) : bytes.Length;
        _left -= length;
        return new(length, 0, length);
    }
}
