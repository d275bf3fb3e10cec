using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>A client's connection, written to and read from as the test likes.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly TcpClient _client = new();

    /// <param name="receiveBuffer">Bytes that the kernel takes for a client that does not read; 0: as many as it likes.</param>
    public static async Task<RawConnection> OpenAsync(Uri url, CancellationToken cancellationToken, int receiveBuffer = 0)
    {
        var connection = new RawConnection();
        if (receiveBuffer > 0)
        {
            connection._client.ReceiveBufferSize = receiveBuffer;
        }

        await connection._client.ConnectAsync(url.Host, url.Port, cancellationToken);
        return connection;
    }

    public ValueTask SendAsync(string text, CancellationToken cancellationToken) =>
        _client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text), cancellationToken);

    /// <summary>All that comes until the other side closes or resets the connection.</summary>
    public async Task<string> ReadToEndAsync(CancellationToken cancellationToken)
    {
        var (text, buffer) = (new StringBuilder(), new byte[64 * 1024]);
        try
        {
            while (await _client.GetStream().ReadAsync(buffer, cancellationToken) is > 0 and var read)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            // Reset: what came before counts.
        }

        return text.ToString();
    }

    public void Dispose() => _client.Dispose();
}
