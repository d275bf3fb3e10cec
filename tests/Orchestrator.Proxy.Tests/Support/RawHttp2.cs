using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>As much of HTTP/2 as it takes to ask one connection for several hosts, which .NET's client never does and browsers do.</summary>
internal static class RawHttp2
{
    private const byte Headers = 1;
    private const byte Settings = 4;
    private const byte EndStreamAndHeaders = 0x5;

    public static async Task BeginAsync(Stream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), cancellationToken);
        await stream.WriteAsync(Frame(Settings, 0, 0, []), cancellationToken);
    }

    /// <returns>The status of the answer.</returns>
    public static async Task<int> AskAsync(Stream stream, int streamId, string host, CancellationToken cancellationToken)
    {
        byte[] block = [.. Field(":method", "GET"), .. Field(":scheme", "https"), .. Field(":authority", host), .. Field(":path", "/")];
        await stream.WriteAsync(Frame(Headers, EndStreamAndHeaders, streamId, block), cancellationToken);
        var head = new byte[9];
        while (true)
        {
            await stream.ReadExactlyAsync(head, cancellationToken);
            var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await stream.ReadExactlyAsync(payload, cancellationToken);
            if (head[3] == Headers && BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)) == streamId)
            {
                return StatusOf(payload);
            }
        }
    }

    /// <summary>The first field of an answer: from the static table (RFC 7541, appendix A), or its value in three digits.</summary>
    private static int StatusOf(byte[] block)
    {
        int[] known = [200, 204, 206, 304, 400, 404, 500];
        var start = Array.FindIndex(block, octet => (octet & 0xe0) != 0x20);
        return (block[start] & 0x80) != 0
            ? known[(block[start] & 0x7f) - 8]
            : int.Parse(Encoding.ASCII.GetString(block, start + 2, 3), CultureInfo.InvariantCulture);
    }

    /// <summary>A literal without indexing, which needs no table.</summary>
    private static byte[] Field(string name, string value) =>
        [0, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), (byte)value.Length, .. Encoding.ASCII.GetBytes(value)];

    private static byte[] Frame(byte type, byte flags, int streamId, byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        frame[1] = (byte)(payload.Length >> 8);
        frame[2] = (byte)payload.Length;
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
        payload.CopyTo(frame, 9);
        return frame;
    }
}
