using System.Buffers;
using System.IO.Pipelines;

namespace Orchestrator.Proxy.Listening;

/// <summary>What a client begins a connection with.</summary>
internal enum ConnectionOpening
{
    /// <summary>Or anything else that is neither of the others: it is for the parser of HTTP/1.1 to refuse.</summary>
    Http1,

    /// <summary>The preface of HTTP/2 by prior knowledge (RFC 9113, 3.4).</summary>
    Http2,

    /// <summary>The record of a handshake (RFC 8446, 5.1).</summary>
    Tls,
}

/// <summary>Looks at the first bytes of a connection and leaves them there.</summary>
internal static class ConnectionOpenings
{
    private const byte HandshakeRecord = 0x16;

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <exception cref="OperationCanceledException">Nothing that could be told from anything else came until then.</exception>
    public static async ValueTask<ConnectionOpening> PeekAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (Of(buffer) is { } opening)
            {
                input.AdvanceTo(buffer.Start);
                return opening;
            }

            if (result.IsCompleted || result.IsCanceled)
            {
                input.AdvanceTo(buffer.Start);
                return ConnectionOpening.Http1;
            }

            input.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    /// <returns>Null: more bytes must tell.</returns>
    private static ConnectionOpening? Of(in ReadOnlySequence<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return null;
        }

        var first = buffer.FirstSpan[0];
        if (first == HandshakeRecord)
        {
            return ConnectionOpening.Tls;
        }

        // No method of HTTP/1.1 in use but one that begins with PR needs a second look.
        if (first != Preface[0])
        {
            return ConnectionOpening.Http1;
        }

        var length = (int)Math.Min(buffer.Length, Preface.Length);
        Span<byte> begun = stackalloc byte[length];
        buffer.Slice(0, length).CopyTo(begun);
        return !Preface.StartsWith(begun) ? ConnectionOpening.Http1
            : length == Preface.Length ? ConnectionOpening.Http2
            : null;
    }
}
