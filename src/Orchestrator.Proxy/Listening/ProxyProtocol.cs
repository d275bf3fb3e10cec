using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Orchestrator.Proxy.Clients;
using Prometheus;

namespace Orchestrator.Proxy.Listening;

/// <summary>
/// Connections of trusted load balancers begin with a PROXY protocol header, without which they are ended: a balancer that sends
/// it always does. All others are as ever; a header of theirs is no HTTP, and answered 400.
/// </summary>
internal sealed class ProxyProtocol(TrustedNetworks trusted, TimeProvider time)
{
    /// <summary>From the connection to the end of the header: outlasts a lost packet, as the protocol asks for (3 s or more).</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private static readonly Counter Bad = Metrics.CreateCounter(
        "orchestrator_proxy_bad_proxy_headers_total", "Connections of trusted load balancers that were ended because they began with no PROXY protocol header.");

    /// <summary>Null unless it is wanted.</summary>
    public static ProxyProtocol? Of(ProxyOptions options, TimeProvider time) =>
        options.AcceptProxyProtocol ? new(new TrustedNetworks(options.TrustedProxies), time) : null;

    public ConnectionDelegate Before(ConnectionDelegate next) => async connection =>
    {
        if (trusted.Contains((connection.RemoteEndPoint as IPEndPoint)?.Address) && !await TryReadAsync(connection))
        {
            Bad.Inc();
            connection.Abort(new ConnectionAbortedException("the connection began with no PROXY protocol header"));
            return;
        }

        await next(connection);
    };

    private async Task<bool> TryReadAsync(ConnectionContext connection)
    {
        using var late = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, connection.ConnectionClosed);
        var input = connection.Transport.Input;
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(either.Token);
                var bytes = read.Buffer.IsSingleSegment ? read.Buffer.FirstSpan : read.Buffer.ToArray();
                switch (ProxyProtocolHeader.Read(bytes, out var length, out var client))
                {
                    case ProxyProtocolRead.Done:
                        connection.RemoteEndPoint = client ?? connection.RemoteEndPoint;
                        input.AdvanceTo(read.Buffer.GetPosition(length));
                        return true;
                    case ProxyProtocolRead.Incomplete when !read.IsCompleted:
                        input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                        break;
                    default:
                        input.AdvanceTo(read.Buffer.End);
                        return false;
                }
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            return false;
        }
    }
}
