using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Orchestrator.Proxy.Listening;

namespace Orchestrator.Proxy.Tests.Listening;

/// <summary>A socket that is kept beside the one that is handed over, as a service manager keeps it.</summary>
public sealed partial class HandedOverSocketTests : IDisposable
{
    private readonly Socket _kept = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public HandedOverSocketTests()
    {
        _kept.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _kept.Listen(4);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_closed_while_it_waits_for_a_connection_leaves_the_kept_one_as_it_was()
    {
        var listener = await HandOverAsync();
        var accepting = listener.AcceptAsync(Cancellation).AsTask();
        Assert.False(accepting.IsCompleted);

        await listener.UnbindAsync(Cancellation);
        Assert.Null(await accepting);
        await listener.DisposeAsync();

        Assert.False(_kept.LingerState!.Enabled);
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)_kept.LocalEndPoint!, Cancellation);
        using var accepted = await _kept.AcceptAsync(Cancellation);
        Assert.False(accepted.LingerState!.Enabled);
    }

    [Fact]
    public async Task Connections_come_with_what_was_sent_on_them_and_go_both_ways()
    {
        var listener = await HandOverAsync();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.EndPoint, Cancellation);
        await client.GetStream().WriteAsync("hello"u8.ToArray(), Cancellation);

        await using (var connection = await listener.AcceptAsync(Cancellation))
        {
            var read = await connection!.Transport.Input.ReadAsync(Cancellation);
            await connection.Transport.Output.WriteAsync(read.Buffer.First, Cancellation);
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
        }

        using var reader = new StreamReader(client.GetStream());
        Assert.Equal("hello", await reader.ReadToEndAsync(Cancellation));
        await listener.UnbindAsync(Cancellation);
        await listener.DisposeAsync();
    }

    public void Dispose() => _kept.Dispose();

    private async Task<IConnectionListener> HandOverAsync()
    {
        var copy = new Socket(new SafeSocketHandle(Duplicate((int)_kept.Handle), ownsHandle: true));
        return await HandedOverSocket.Factory(copy, inline: false).BindAsync(_kept.LocalEndPoint!, Cancellation);
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);
}
