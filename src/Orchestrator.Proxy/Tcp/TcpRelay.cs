using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tcp;

/// <summary>
/// Passes bytes both ways, at the pace of whoever takes them. One side's end is passed on as such, and the other way goes on; what breaks on
/// one side is broken on the other.
/// </summary>
/// <param name="replica">Closed when this ends.</param>
/// <param name="host">The replica's: whatever comes from it is a sign of life.</param>
internal sealed class TcpRelay(
    ConnectionContext connection, IClientSide client, Socket replica, ReplicaHost host, TcpMetrics metrics, TimeSpan idleTimeout, TimeProvider time)
{
    /// <summary>What a socket mostly has at a time. Rented when there is something to read: idle connections hold none.</summary>
    private const int BufferSize = 32 * 1024;

    private const int Open = -1;

    private int _end = Open;
    private long _lastByte = time.GetTimestamp();
    private ITimer? _idle;

    /// <summary>From the client.</summary>
    public long BytesIn { get; private set; }

    /// <summary>To the client.</summary>
    public long BytesOut { get; private set; }

    /// <summary>Until both sides have ended.</summary>
    public async Task<TcpEnd> RunAsync()
    {
        await using var idle = time.CreateTimer(static relay => ((TcpRelay)relay!).LookIfIdle(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _idle = idle;
        idle.Change(idleTimeout, Timeout.InfiniteTimeSpan);
        await using var silent = host.Later.UnsafeRegister(static relay => ((TcpRelay)relay!).Break(TcpEnd.HostSilent), this);
        await using var closed = connection.ConnectionClosed.UnsafeRegister(static relay => ((TcpRelay)relay!).LookIfAborted(), this);
        using (replica)
        {
            await Task.WhenAll(PassInAsync(), PassOutAsync());
        }

        return _end == Open ? TcpEnd.Closed : (TcpEnd)_end;
    }

    private async Task PassInAsync()
    {
        // Whose doing it is if the next step fails.
        var blame = TcpEnd.ClientReset;
        try
        {
            ReadResult read;
            do
            {
                blame = TcpEnd.ClientReset;
                read = await client.Input.ReadAsync();
                blame = TcpEnd.ReplicaReset;
                foreach (var bytes in read.Buffer)
                {
                    await Sockets.SendAllAsync(replica, bytes);
                    BytesIn += bytes.Length;
                    metrics.BytesIn.Inc(bytes.Length);
                    Touch();
                }

                client.Input.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);

            replica.Shutdown(SocketShutdown.Send);
        }
        catch (Exception failure)
        {
            // Whatever it was, the other way must not go on without this one.
            Break(ReasonOf(failure, blame));
            if (!IsOfConnections(failure))
            {
                throw;
            }
        }
    }

    private async Task PassOutAsync()
    {
        var blame = TcpEnd.ReplicaReset;
        try
        {
            for (var ended = false; !ended;)
            {
                blame = TcpEnd.ReplicaReset;
                await replica.ReceiveAsync(Memory<byte>.Empty);
                var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
                try
                {
                    var count = await replica.ReceiveAsync(buffer);
                    blame = TcpEnd.ClientReset;
                    host.Hear();
                    ended = count == 0;
                    if (!ended)
                    {
                        await client.SendAsync(buffer.AsMemory(0, count));
                        BytesOut += count;
                        metrics.BytesOut.Inc(count);
                        Touch();
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }

            await client.EndAsync();
        }
        catch (Exception failure)
        {
            Break(ReasonOf(failure, blame));
            if (!IsOfConnections(failure))
            {
                throw;
            }
        }
    }

    private void Touch() => Volatile.Write(ref _lastByte, time.GetTimestamp());

    private void LookIfIdle()
    {
        var left = idleTimeout - time.GetElapsedTime(Volatile.Read(ref _lastByte));
        if (left <= TimeSpan.Zero)
        {
            Break(TcpEnd.Idle);
        }
        else
        {
            _idle?.Change(left, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>That the client sends no more is no end; that the listener has given the connection up is, though nobody may be reading just now.</summary>
    private void LookIfAborted()
    {
        if (PlainSide.SocketOf(connection).SafeHandle.IsClosed)
        {
            Break(TcpEnd.Drained);
        }
    }

    /// <summary>Ends both sides at once, by a reset: a mere end would pass for the whole. The first reason counts.</summary>
    private void Break(TcpEnd reason)
    {
        if (Interlocked.CompareExchange(ref _end, (int)reason, Open) == Open)
        {
            replica.Close(timeout: 0);
            connection.Abort(new ConnectionAbortedException($"the connection is given up: {reason}"));
        }
    }

    /// <summary>What is closed here before it was given up here was closed by the listener.</summary>
    private static TcpEnd ReasonOf(Exception failure, TcpEnd blame) =>
        failure.GetBaseException() is ConnectionAbortedException or ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted }
            ? TcpEnd.Drained
            : blame;

    private static bool IsOfConnections(Exception failure) =>
        failure is IOException or SocketException or ObjectDisposedException or OperationCanceledException;
}
