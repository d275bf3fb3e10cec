using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Forwarding;

namespace Orchestrator.Proxy.Policies;

/// <summary>
/// A request's body that may have so many bytes and no more, and is not waited for as long as its client likes. The server's own limit counts
/// what chunks are framed with as well, so that what a body may have would depend on how it was cut; and its own pace ends all
/// of an HTTP/2 connection.
/// </summary>
/// <param name="most">Bytes; null: any number.</param>
/// <param name="pace">Null: any.</param>
internal sealed class GuardedBody(Stream body, long? most, BodyPace? pace) : ReadOnlyStream
{
    private long _read;

    /// <summary>Why it was read no further; null: nothing is wrong with it.</summary>
    public ProxyError? Fault => _read > most ? ProxyError.RequestTooLarge : pace is { IsTooSlow: true } ? ProxyError.RequestTooSlow : null;

    /// <exception cref="BadHttpRequestException">413: it is larger; 408: it comes too slowly.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await (pace is null ? body.ReadAsync(buffer, cancellationToken) : pace.ReadAsync(body, buffer, cancellationToken));
        _read += count;
        return _read <= (most ?? long.MaxValue)
            ? count
            : throw new BadHttpRequestException("the request's body is too large", StatusCodes.Status413PayloadTooLarge);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            pace?.Dispose();
        }

        base.Dispose(disposing);
    }
}
