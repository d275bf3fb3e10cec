using System.IO.Pipelines;

namespace Orchestrator.Proxy.Tcp;

/// <summary>The client's end of a connection, with TLS or without.</summary>
internal interface IClientSide : IAsyncDisposable
{
    /// <summary>What the client sends; completed when it sends no more.</summary>
    PipeReader Input { get; }

    /// <summary>All of it, and not before the client, or the kernel for it, has taken what came before.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Nothing more is sent to the client, which may go on sending.</summary>
    ValueTask EndAsync();
}
