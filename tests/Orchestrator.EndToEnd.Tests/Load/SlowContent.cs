using System.Net;
using System.Security.Cryptography;

namespace Orchestrator.EndToEnd.Tests.Load;

/// <summary>An upload over a slow line: the same chunk again and again, with a pause after each.</summary>
/// <param name="tellsLength">Otherwise it is sent as <c>Transfer-Encoding: chunked</c>.</param>
internal sealed class SlowContent(byte[] chunk, int chunks, TimeSpan pause, bool tellsLength) : HttpContent
{
    /// <summary>Of all of it, in lower-case hexadecimal digits.</summary>
    public string Sha256 { get; } = HashOf(chunk, chunks);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        for (var sent = 0; sent < chunks; sent++)
        {
            await stream.WriteAsync(chunk, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await Pace.PassAsync(pause, cancellationToken);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = (long)chunk.Length * chunks;
        return tellsLength;
    }

    private static string HashOf(byte[] chunk, int chunks)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var part = 0; part < chunks; part++)
        {
            hash.AppendData(chunk);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
