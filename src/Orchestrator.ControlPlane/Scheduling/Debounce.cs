using System.Threading.Channels;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>A signal that many give and one waits for: what comes close together is answered once.</summary>
/// <param name="quiet">So long without a signal ends the wait.</param>
/// <param name="cap">The wait ends after this even if signals keep coming.</param>
internal sealed class Debounce(TimeSpan quiet, TimeSpan cap, TimeProvider time)
{
    // One signal that waits stands for all that come after it.
    private readonly Channel<bool> _signals =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Signal() => _signals.Writer.TryWrite(true);

    /// <summary>Waits for a signal and then for quiet.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await _signals.Reader.ReadAsync(cancellationToken);
        var first = time.GetTimestamp();
        do
        {
            await Task.Delay(quiet, time, cancellationToken);
        }
        while (_signals.Reader.TryRead(out _) && time.GetElapsedTime(first) < cap);
    }
}
