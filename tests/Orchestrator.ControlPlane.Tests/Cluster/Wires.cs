using System.Net;
using System.Text;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>Answers 403 to what <paramref name="refuses"/> says.</summary>
internal sealed class RefusingWire(Func<HttpRequestMessage, bool> refuses) : DelegatingHandler
{
    public bool IsOn { get; set; } = true;

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!IsOn || !refuses(request))
        {
            return base.SendAsync(request, cancellationToken);
        }

        const string status = """{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"exceeded quota"}""";
        return Task.FromResult(new HttpResponseMessage(HttpStatusCode.Forbidden)
        {
            Content = new StringContent(status, Encoding.UTF8, "application/json"),
            RequestMessage = request,
        });
    }
}

/// <summary>Lets the test answer a request, or do something before it goes on.</summary>
/// <param name="answer">Null sends the request on.</param>
internal sealed class AnsweringWire(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage?>> answer) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (await answer(request, cancellationToken) is not { } response)
        {
            return await base.SendAsync(request, cancellationToken);
        }

        response.RequestMessage = request;
        return response;
    }
}

/// <summary>Loses requests on their way, and answers on theirs: one in <paramref name="oneIn"/> each. Watches it lets be.</summary>
internal sealed class LossyWire(int seed, int oneIn) : DelegatingHandler
{
    private readonly Random _random = new(seed);

    public bool IsOn { get; set; } = true;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var isWatch = request.RequestUri!.Query.Contains("watch=true", StringComparison.Ordinal);
        if (Loses(isWatch))
        {
            throw new HttpRequestException("the request was lost");
        }

        var response = await base.SendAsync(request, cancellationToken);
        if (Loses(isWatch))
        {
            response.Dispose();
            throw new HttpRequestException("the answer was lost");
        }

        return response;
    }

    private bool Loses(bool isWatch)
    {
        lock (_random)
        {
            return IsOn && !isWatch && _random.Next(oneIn) == 0;
        }
    }
}

/// <summary>Holds requests back until it is opened.</summary>
internal sealed class HoldingWire(Func<HttpRequestMessage, bool> holds) : DelegatingHandler
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _held;

    public int Held => Volatile.Read(ref _held);

    public void Open() => _opened.TrySetResult();

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (holds(request))
        {
            Interlocked.Increment(ref _held);
            await _opened.Task.WaitAsync(cancellationToken);
        }

        return await base.SendAsync(request, cancellationToken);
    }
}

/// <summary>A clock that is ahead of the system's.</summary>
internal sealed class ClockAhead(TimeSpan by) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
}

/// <summary>A body whose connection breaks.</summary>
internal sealed class BrokenStream : MemoryStream
{
    public override int Read(Span<byte> buffer) => throw new IOException("the connection broke");

    public override int Read(byte[] buffer, int offset, int count) => throw new IOException("the connection broke");

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        throw new IOException("the connection broke");

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        throw new IOException("the connection broke");

    public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken) =>
        throw new IOException("the connection broke");
}
