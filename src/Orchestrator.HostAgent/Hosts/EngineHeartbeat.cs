using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Hosts;

/// <summary>Pings an engine for as long as a session with it lasts, and tells the pulse of its host what comes of it.</summary>
internal sealed class EngineHeartbeat(HostPulse pulse, TimeProvider time)
{
    /// <summary>From an answer to the next ping. With two pings of 2 s each in a row, an engine that hangs is found out within about 5 s.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1.5);

    /// <summary>
    /// A ping that is not answered by then is late: the host's replicas are asked while it goes on. Half of what it gets, and far more than it
    /// takes: a host that is cut off is known a second sooner, and an engine that is only busy costs a few connections.
    /// </summary>
    public static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    private readonly WakeUp _wanted = new(time);

    /// <summary>Pings at once instead of when it is time.</summary>
    public void Hurry() => _wanted.Set();

    /// <param name="ping">Throws only <see cref="EngineException"/>, or OperationCanceledException by its token.</param>
    /// <returns>When two pings in a row have failed: why the second did. Null when it was cancelled.</returns>
    public async Task<EngineException?> RunAsync(Func<CancellationToken, Task> ping, CancellationToken cancellationToken)
    {
        var failed = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            if (!failed)
            {
                await _wanted.WaitAsync(Period, cancellationToken);
            }

            try
            {
                await PingAsync(ping, cancellationToken);
                pulse.EngineHeard();
                failed = false;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return null;
            }
            catch (EngineException failure)
            {
                if (failed)
                {
                    return failure;
                }

                pulse.EngineDoubted();
                failed = true;
            }
        }

        return null;
    }

    private async Task PingAsync(Func<CancellationToken, Task> ping, CancellationToken cancellationToken)
    {
        // Disposed before the answer is told of: the disposal waits for a callback that is under way, which would come after the answer.
        await using var late = time.CreateTimer(_ => pulse.EngineLate(), null, Late, Timeout.InfiniteTimeSpan);
        await ping(cancellationToken);
    }
}
