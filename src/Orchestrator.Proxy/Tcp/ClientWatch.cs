using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace Orchestrator.Proxy.Tcp;

/// <summary>
/// Whether a client that waits has gone. That it sends no more does not say so: it may have asked all that it wants to ask. Not while
/// anybody reads from the connection.
/// </summary>
internal sealed class ClientWatch : IAsyncDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private readonly CancellationTokenRegistration _watching;
    private readonly PipeReader _input;

    public ClientWatch(ConnectionContext connection)
    {
        _input = connection.Transport.Input;
        _watching = connection.ConnectionClosed.UnsafeRegister(static watch => ((ClientWatch)watch!).Look(), this);
    }

    public CancellationToken Gone => _gone.Token;

    public async ValueTask DisposeAsync()
    {
        await _watching.DisposeAsync();
        _gone.Dispose();
    }

    private void Look()
    {
        try
        {
            if (_input.TryRead(out var read))
            {
                _input.AdvanceTo(read.Buffer.Start);
            }
        }
        catch (Exception broken) when (broken is IOException or OperationCanceledException)
        {
            _gone.Cancel();
        }
    }
}
