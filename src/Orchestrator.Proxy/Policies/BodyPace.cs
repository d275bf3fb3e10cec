using Microsoft.AspNetCore.Http;

namespace Orchestrator.Proxy.Policies;

/// <summary>
/// How long a client may let us wait for its body: a grace, and a second more for so many bytes that came. Time in which nobody wanted to
/// read (a replica that takes it slowly) is not the client's. Once the answer has begun, the two may have a conversation, and nothing is
/// expected any more.
/// </summary>
internal sealed class BodyPace(int bytesPerSecond, TimeSpan grace, HttpResponse response, TimeProvider time) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private ITimer? _timer;
    private TimeSpan _waited;
    private long _read;

    public bool IsTooSlow { get; private set; }

    /// <exception cref="BadHttpRequestException">408: it comes too slowly.</exception>
    public async ValueTask<int> ReadAsync(Stream body, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await using var canceled = cancellationToken.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), _stop);
        var reading = body.ReadAsync(buffer, _stop.Token);
        var count = reading.IsCompleted ? await reading : await WaitAsync(reading);
        _read += count;
        return count;
    }

    private async ValueTask<int> WaitAsync(ValueTask<int> reading)
    {
        var began = time.GetTimestamp();
        var left = grace + TimeSpan.FromSeconds((double)_read / bytesPerSecond) - _waited;
        _timer ??= time.CreateTimer(static pace => ((BodyPace)pace!).End(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        try
        {
            return await reading;
        }
        catch (OperationCanceledException) when (IsTooSlow)
        {
            throw new BadHttpRequestException("the request's body comes too slowly", StatusCodes.Status408RequestTimeout);
        }
        finally
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _waited += time.GetElapsedTime(began);
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _stop.Dispose();
    }

    private void End()
    {
        if (response.HasStarted)
        {
            return;
        }

        IsTooSlow = true;
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The request has ended this very moment.
        }
    }
}
