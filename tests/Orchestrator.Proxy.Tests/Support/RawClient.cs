using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>Sends bytes that no HTTP client would, and tells what came back first.</summary>
internal static class RawClient
{
    public static async Task<string> SendAsync(Uri url, string request, CancellationToken cancellationToken)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(url.Host, url.Port, cancellationToken);
        var stream = connection.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), cancellationToken);
        var buffer = new byte[4096];
        var read = await stream.ReadAsync(buffer, cancellationToken);
        return Encoding.Latin1.GetString(buffer, 0, read);
    }
}
