using System.Net;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// An answer's body, as YARP copies it. YARP begins the answer to the client with the first byte of the body, so that one without any can end with its head;
/// but who waits for a head before it says more (gRPC, event streams) would wait for ever. So where a read has to wait, the head goes first.
/// </summary>
internal sealed class EarlyHead(HttpContent body, HttpResponse response) : HttpContent
{
    /// <summary>Not for what is written to as well: there the head is YARP's to send.</summary>
    public static void Arrange(HttpResponseMessage answer, HttpResponse response)
    {
        if (answer.StatusCode != HttpStatusCode.SwitchingProtocols && answer.RequestMessage?.Method != HttpMethod.Connect)
        {
            answer.Content = new EarlyHead(answer.Content, response);
        }
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
        new Reader(await body.ReadAsStreamAsync(cancellationToken), response);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => body.CopyToAsync(stream, context);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
        }

        base.Dispose(disposing);
    }

    private sealed class Reader(Stream body, HttpResponse response) : ReadOnlyStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var reading = body.ReadAsync(buffer, cancellationToken);
            return reading.IsCompleted || response.HasStarted ? reading : AfterHeadAsync(reading, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                body.Dispose();
            }

            base.Dispose(disposing);
        }

        private async ValueTask<int> AfterHeadAsync(ValueTask<int> reading, CancellationToken cancellationToken)
        {
            await response.Body.FlushAsync(cancellationToken);
            return await reading;
        }
    }
}
