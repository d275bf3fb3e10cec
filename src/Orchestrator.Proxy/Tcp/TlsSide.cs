using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;

namespace Orchestrator.Proxy.Tcp;

/// <summary>A client inside TLS: there the end of a direction is an alert, close_notify (RFC 8446, 6.1).</summary>
/// <param name="stream">Owned, once its handshake is done.</param>
internal sealed class TlsSide(SslStream stream, MemoryPool<byte>? pool) : IClientSide
{
    public PipeReader Input { get; } =
        PipeReader.Create(stream, new StreamPipeReaderOptions(pool, leaveOpen: true, useZeroByteReads: true));

    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes) => stream.WriteAsync(bytes);

    public ValueTask EndAsync() => new(stream.ShutdownAsync());

    public async ValueTask DisposeAsync()
    {
        await Input.CompleteAsync();
        await stream.DisposeAsync();
    }
}
