using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// A connection to a replica. Closed by the other side before it ever answered, it reads as broken, not as ended: the client
/// library takes an end for a kept-alive connection that has timed out, and sends the request three times more. On a connection
/// that has served before that is right; on a new one it would kill the replica again that the first time has killed.
/// </summary>
internal sealed class ReplicaStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
{
    private bool _hasRead;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var reading = base.ReadAsync(buffer, cancellationToken);
        return _hasRead || buffer.Length == 0 ? reading : FirstReadAsync(reading);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> FirstReadAsync(ValueTask<int> reading)
    {
        var read = await reading;
        if (read == 0)
        {
            throw new IOException("the replica closed the connection before it had answered");
        }

        _hasRead = true;
        return read;
    }
}
